#include "host/nvml_report.h"

#include <algorithm>
#include <type_traits>

#include "base/text.h"
#include "document/json.h"

namespace nodescout {
namespace {

// The driver is foreign code: no text is longer than it can be, no list longer than any machine has.
constexpr std::size_t kLongestText = 512;
constexpr std::size_t kMostEntries = 256;

// Each structure lists its members once, for the printer and for the parser.

template <class Archive>
void members(Archive& at, NvmlFailure& failure) {
  at("call", failure.call);
  at("code", failure.code);
  at("what", failure.what);
}

template <class Archive>
void members(Archive& at, NvmlFabric& fabric) {
  at("state", fabric.state);
  at("status", fabric.status);
  at("cluster", fabric.cluster);
  at("clique", fabric.clique);
  at("healthMask", fabric.health_mask);
  at("healthSummary", fabric.health_summary);
}

template <class Archive>
void members(Archive& at, NvmlPlatform& platform) {
  at("chassisSerial", platform.chassis_serial);
  at("slot", platform.slot);
  at("tray", platform.tray);
  at("host", platform.host);
  at("module", platform.module);
}

template <class Archive>
void members(Archive& at, NvmlLink& link) {
  at("remoteType", link.remote_type);
  at("remote", link.remote);
}

template <class Archive>
void members(Archive& at, NvmlMig& mig) {
  at("index", mig.index);
  at("name", mig.name);
  at("uuid", mig.uuid);
  at("gpuProfile", mig.gpu_profile);
  at("computeProfile", mig.compute_profile);
  at("multiprocessors", mig.multiprocessors);
  at("copyEngines", mig.copy_engines);
  at("decoders", mig.decoders);
  at("encoders", mig.encoders);
  at("jpegEngines", mig.jpeg_engines);
  at("ofaEngines", mig.ofa_engines);
  at("gpuSlices", mig.gpu_slices);
  at("computeSlices", mig.compute_slices);
  at("memory", mig.memory);
  at("failures", mig.failures);
}

template <class Archive>
void members(Archive& at, NvmlGpu& gpu) {
  at("busId", gpu.bus_id);
  at("name", gpu.name);
  at("uuid", gpu.uuid);
  at("serial", gpu.serial);
  at("boardPart", gpu.board_part);
  at("vbios", gpu.vbios);
  at("memory", gpu.memory);
  at("computeMajor", gpu.compute_major);
  at("computeMinor", gpu.compute_minor);
  at("mig", gpu.mig);
  at("migPending", gpu.mig_pending);
  at("ecc", gpu.ecc);
  at("eccPending", gpu.ecc_pending);
  at("remapPending", gpu.remap_pending);
  at("remapFailed", gpu.remap_failed);
  at("memoryNode", gpu.memory_node);
  at("addressing", gpu.addressing);
  at("virtualization", gpu.virtualization);
  at("persistence", gpu.persistence);
  at("computeMode", gpu.compute_mode);
  at("powerLimit", gpu.power_limit);
  at("moduleId", gpu.module_id);
  at("fabric", gpu.fabric);
  at("platform", gpu.platform);
  at("nvlinkVersion", gpu.nvlink_version);
  at("links", gpu.links);
  at("migs", gpu.migs);
  at("failures", gpu.failures);
}

template <class Archive>
void members(Archive& at, NvmlConfidential& confidential) {
  at("environment", confidential.environment);
  at("feature", confidential.feature);
  at("devtools", confidential.devtools);
}

template <class Archive>
void members(Archive& at, Error& error) {
  at("code", error.code);
  at("where", error.where);
  at("what", error.what);
}

template <class Archive>
void members(Archive& at, NvmlReport& report) {
  at("backend", report.backend);
  at("library", report.loaded_from);
  at("init", report.init);
  at("driverVersion", report.driver_version);
  at("driverBranch", report.driver_branch);
  at("cudaVersion", report.cuda_version);
  at("gpuCount", report.gpu_count);
  at("confidential", report.confidential);
  at("gpus", report.gpus);
  at("failures", report.failures);
  at("complete", report.complete);
  at("error", report.error);
}

class Printer {
 public:
  template <class T>
  static Value print(T& structure) {
    Printer printer;
    members(printer, structure);
    return std::move(printer.out_);
  }

  void operator()(const char* name, std::string& text) {
    if (!text.empty()) out_.add(name, Value::string(text));
  }
  void operator()(const char* name, int& number) {
    if (number != 0) out_.add(name, Value::integer(number));
  }
  void operator()(const char* name, bool& flag) {
    if (flag) out_.add(name, Value::boolean(true));
  }
  void operator()(const char* name, Errc& code) { out_.add(name, Value::string(name_of(code))); }
  void operator()(const char* name, Number& number) {
    if (number) out_.add(name, Value::integer(*number));
  }
  template <class T>
  void operator()(const char* name, std::optional<T>& structure) {
    if (structure) out_.add(name, print(*structure));
  }
  template <class T>
  void operator()(const char* name, std::vector<T>& list) {
    if (list.empty()) return;
    Value items = Value::list();
    for (T& entry : list) items.items.push_back(print(entry));
    out_.add(name, std::move(items));
  }

 private:
  Value out_ = Value::map();
};

class Parser {
 public:
  explicit Parser(const Value& in) : in_(in) {}

  template <class T>
  static T parse(const Value& in) {
    T structure{};
    Parser parser(in);
    members(parser, structure);
    return structure;
  }

  void operator()(const char* name, std::string& into) {
    const Value* value = of_kind(name, Value::Kind::string);
    if (!value) return;
    into = valid_utf8(value->text.substr(0, kLongestText));
    std::erase_if(into, [](unsigned char c) { return c < 0x20 || c == 0x7F; });  // none of them is a second line
  }
  void operator()(const char* name, int& into) {
    Number number;
    (*this)(name, number);
    if (number && *number >= 0 && *number <= 0xFFFF) into = static_cast<int>(*number);
  }
  void operator()(const char* name, bool& into) {
    if (const Value* value = of_kind(name, Value::Kind::boolean)) into = value->text == "true";
  }
  void operator()(const char* name, Errc& into) {
    std::string word;
    (*this)(name, word);
    into = errc_named(word).value_or(Errc::unavailable);
  }
  void operator()(const char* name, Number& into) {
    if (const Value* value = of_kind(name, Value::Kind::integer)) into = parse_int(value->text);
  }
  template <class T>
  void operator()(const char* name, std::optional<T>& into) {
    if (const Value* value = of_kind(name, Value::Kind::map)) into = parse<T>(*value);
  }
  template <class T>
  void operator()(const char* name, std::vector<T>& into) {
    const Value* value = of_kind(name, Value::Kind::list);
    if (!value) return;
    for (const Value& item : value->items)
      if (item.is(Value::Kind::map) && into.size() < kMostEntries) into.push_back(parse<T>(item));
  }

 private:
  const Value* of_kind(const char* name, Value::Kind kind) const {
    const Value* value = in_.find(name);
    return value && value->is(kind) ? value : nullptr;
  }

  const Value& in_;
};

template <class T>
std::string line_of(T structure) {
  return to_json(Printer::print(structure)) + "\n";
}

}  // namespace

std::string sysfs_address(std::string_view address) {
  constexpr std::size_t kDomainDigits = 4;  // at least
  std::string out = lower_ascii(address);
  const std::size_t domain = std::min(out.find(':'), out.size());
  const std::size_t zeros = std::min(out.find_first_not_of('0'), domain);
  if (domain > kDomainDigits) out.erase(0, std::min(zeros, domain - kDomainDigits));
  return out;
}

std::string print_nvml(const NvmlReport& report) {
  NvmlReport copy = report;
  return to_json(Printer::print(copy), 2) + "\n";
}

Result<NvmlReport> parse_nvml(std::string_view json, std::string_view origin) {
  const auto document = parse_json(json, origin);
  if (!document) return document.error();
  if (!document->is(Value::Kind::map))
    return Error{Errc::malformed, std::string(origin), "expected a JSON object, not " + describe(*document)};
  return Parser::parse<NvmlReport>(*document);
}

std::string nvml_first_line(const NvmlReport& report) { return line_of(report); }

std::string nvml_gpu_line(const NvmlGpu& gpu) {
  NvmlGpu copy = gpu;
  Value line = Value::map();
  line.add("gpu", Printer::print(copy));
  return to_json(line) + "\n";
}

std::string nvml_last_line() { return "{\"complete\":true}\n"; }

NvmlReport parse_nvml_lines(std::string_view lines) {
  NvmlReport report;
  bool first = true;
  const auto give_up = [&](std::string why) {
    report.complete = false;
    report.error = Error{Errc::malformed, "nvml-scan", "its answer is not valid: " + why};
    return report;
  };
  // Text after the last line feed was cut off when the child ended.
  for (std::size_t end; (end = lines.find('\n')) != std::string_view::npos; lines.remove_prefix(end + 1)) {
    const auto line = parse_json(lines.substr(0, end), "nvml-scan");
    if (!line) return give_up(line.error().what);
    if (!line->is(Value::Kind::map)) return give_up("expected an object, not " + describe(*line));
    if (first) {
      report = Parser::parse<NvmlReport>(*line);
      report.gpus.clear();
    } else if (const Value* gpu = line->find("gpu"); gpu && gpu->is(Value::Kind::map)) {
      if (report.gpus.size() == kMostEntries) return give_up("more GPUs than a machine can have");
      report.gpus.push_back(Parser::parse<NvmlGpu>(*gpu));
    } else {
      Parser rest(*line);
      rest("complete", report.complete);
    }
    first = false;
  }
  return report;
}

}  // namespace nodescout
