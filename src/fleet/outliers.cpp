#include "fleet/outliers.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "fleet/arrange.h"

namespace nodescout::fleet {
namespace {

constexpr std::string_view kFeatureDomain = "feature.node.kubernetes.io";

// Columns have them already, or they differ between equal machines.
constexpr std::string_view kNotCompared[] = {
    "feature.node.kubernetes.io/kernel-version.",
    "feature.node.kubernetes.io/system-os_release.",
    "feature.node.kubernetes.io/memory-numa",
    "feature.node.kubernetes.io/rdma.infiniband",
    "feature.node.kubernetes.io/rdma.roce",
    "feature.node.kubernetes.io/network-sriov.capable",
    "nvidia.com/cuda.",
    "nvidia.com/gfd.timestamp",
    "nvidia.com/gpu.clique",
    "nvidia.com/gpu.count",
    "nvidia.com/gpu.deploy.",
    "nvidia.com/gpu.machine",
    "nvidia.com/gpu.memory",
    "nvidia.com/gpu.product",
    "nvidia.com/gpu.replicas",
    "nvidia.com/gpu-driver-upgrade-state",
    "nvidia.com/mig-",
    "nvidia.com/mig.config.state",
    "amd.com/gpu.driver-version",
    "beta.amd.com/gpu.",
};
// Of gpu-VENDOR., what columns have.
constexpr std::string_view kGpuColumns[] = {
    "count",  "count.",       "product",      "memory_gb",         "missing",
    "failed", "link_limited", "driver.state", "compute_partition", "memory_partition"};

bool is_gpu_column(std::string_view name) {
  if (!name.starts_with("gpu-")) return false;
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view rest = name.substr(dot + 1);
  return std::any_of(std::begin(kGpuColumns), std::end(kGpuColumns), [&](std::string_view each) {
    return each.ends_with('.') ? rest.starts_with(each) : rest == each;
  });
}

bool is_compared(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view domain = key.substr(0, slash);
  const bool is_ours = domain == kFeatureDomain || domain.ends_with("." + std::string(kFeatureDomain)) ||
                       domain == "nvidia.com" || domain == "amd.com" || domain == "beta.amd.com" ||
                       domain == "gpu.intel.com";
  if (!is_ours || (domain == kFeatureDomain && is_gpu_column(key.substr(slash + 1)))) return false;
  return std::none_of(std::begin(kNotCompared), std::end(kNotCompared), [&](std::string_view each) {
    return each.ends_with('.') || each.ends_with('-') ? key.starts_with(each) : key == each;
  });
}

using Members = std::vector<const Row*>;

/// The value that more than half of them have, if any.
template <class T>
const std::pair<const T, std::size_t>* majority_in(const std::map<T, std::size_t>& counts, std::size_t members) {
  for (const auto& entry : counts)
    if (entry.second * 2 > members) return &entry;
  return nullptr;
}

void compare_columns(const std::string& group, const Members& members, std::vector<Outlier>& out) {
  for (const ColumnSpec& spec : columns()) {
    if (!spec.compared) continue;
    std::map<std::string, std::size_t> counts;
    for (const Row* row : members) ++counts[(*row)[spec.column]];
    if (counts.size() < 2) continue;
    const auto* majority = majority_in(counts, members.size());
    if (!majority) {
      std::vector<std::string> values;
      for (const auto& [value, count] : counts)
        values.push_back(std::to_string(count) + " have " + (value.empty() ? "none" : value));
      out.push_back({group, "", std::string(spec.key), join(values, ", "), "", 0, members.size()});
      continue;
    }
    for (const Row* row : members)
      if (const std::string& value = (*row)[spec.column]; value != majority->first)
        out.push_back({group, (*row)[Column::name], std::string(spec.key), value, majority->first, majority->second,
                       members.size()});
  }
}

void compare_labels(const std::string& group, const Members& members, const Texts& texts,
                    std::unordered_map<Texts::Id, bool>& compared, std::vector<Outlier>& out) {
  // Key -> value -> how many; rows without the key are the remainder.
  std::map<Texts::Id, std::map<Texts::Id, std::size_t>> counts;
  for (const Row* row : members)
    for (const auto& [key, value, is_ours] : row->labels) {
      const auto [at, is_new] = compared.try_emplace(key, false);
      if (is_new) at->second = is_compared(texts.text(key));
      if (at->second) ++counts[key][value];
    }
  struct Usual {
    Texts::Id value;
    std::size_t count;
  };
  std::map<Texts::Id, Usual> usual;          // what the majority has
  std::map<Texts::Id, std::size_t> unusual;  // what the majority lacks, and how many do
  for (const auto& [key, values] : counts) {
    if (values.size() == 1 && values.begin()->second == members.size()) continue;
    std::size_t have = 0;
    for (const auto& [value, count] : values) have += count;
    if (const auto* majority = majority_in(values, members.size()))
      usual.emplace(key, Usual{majority->first, majority->second});
    else if ((members.size() - have) * 2 > members.size())
      unusual.emplace(key, members.size() - have);
  }
  if (usual.empty() && unusual.empty()) return;
  for (const Row* row : members) {
    std::map<Texts::Id, Texts::Id> own;
    for (const RowLabel& label : row->labels) own.emplace(label.key, label.value);
    std::vector<std::string> missing, additional;
    std::size_t missing_least = members.size(), additional_least = members.size();
    const std::string& name = (*row)[Column::name];
    for (const auto& [key, common] : usual) {
      const auto at = own.find(key);
      if (at == own.end()) {
        missing.push_back(texts.text(key) + "=" + texts.text(common.value));
        missing_least = std::min(missing_least, common.count);
      } else if (at->second != common.value) {
        out.push_back({group, name, texts.text(key), texts.text(at->second), texts.text(common.value), common.count,
                       members.size()});
      }
    }
    for (const auto& [key, count] : unusual)
      if (const auto at = own.find(key); at != own.end()) {
        additional.push_back(texts.text(key) + "=" + texts.text(at->second));
        additional_least = std::min(additional_least, count);
      }
    std::sort(missing.begin(), missing.end());
    std::sort(additional.begin(), additional.end());
    if (!missing.empty())
      out.push_back({group, name, "missing labels", "", join(missing, ", "), missing_least, members.size()});
    if (!additional.empty())
      out.push_back({group, name, "additional labels", join(additional, ", "), "", additional_least, members.size()});
  }
}

}  // namespace

std::string group_of(const Row& row) {
  std::vector<std::string> words;
  if (!row[Column::pool].empty()) words.push_back("pool " + row[Column::pool]);
  if (!row[Column::type].empty()) words.push_back(row[Column::type]);
  if (words.empty() && !row[Column::machine].empty()) words.push_back(row[Column::machine]);
  if (words.empty()) {
    std::vector<std::string> models;
    for (const GpuModel& model : row.gpus) models.push_back(model.name);
    if (!models.empty()) words.push_back(join(models, "+"));
  }
  if (words.empty()) words.emplace_back("others");
  if (!row[Column::arch].empty()) words.push_back(row[Column::arch]);
  if (!row.role.empty()) words.push_back(row.role);
  return join(words, ", ");
}

std::vector<Outlier> outliers_of(const std::vector<Row>& rows, const Texts& texts) {
  std::map<std::string, Members> groups;
  for (const Row& row : rows) groups[group_of(row)].push_back(&row);
  std::vector<Outlier> out;
  std::unordered_map<Texts::Id, bool> compared;
  for (const auto& [group, members] : groups) {
    if (members.size() < 2) continue;
    const std::size_t before = out.size();
    compare_columns(group, members, out);
    compare_labels(group, members, texts, compared, out);
    std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
                     [](const Outlier& a, const Outlier& b) { return comes_before(a.node, b.node); });
  }
  return out;
}

void keep_unhealthy(std::vector<Row>& rows, std::vector<Outlier>& outliers) {
  std::erase_if(rows, [](const Row& row) { return row.healthy(); });
  std::set<std::string_view> names;
  for (const Row& row : rows) names.insert(row[Column::name]);
  std::erase_if(outliers, [&](const Outlier& each) { return !each.node.empty() && !names.contains(each.node); });
}

}  // namespace nodescout::fleet
