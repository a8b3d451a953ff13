// All Nodes of a cluster, as a table that begins with the first page of the answer.
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/fleet_table.h"
#include "cli/machine.h"
#include "cli/output.h"
#include "cli/provenance.h"
#include "cli/style.h"
#include "document/json.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "fleet/arrange.h"
#include "fleet/follow.h"
#include "fleet/outliers.h"
#include "fleet/page.h"
#include "fleet/print.h"
#include "fleet/row.h"
#include "kube/connection.h"
#include "kube/resource.h"
#include "kube/watch.h"

namespace nodescout::cli {
namespace {

using fleet::Agents;
using fleet::Column;
using fleet::Row;

constexpr std::size_t kPage = 100;       // Nodes of one answer: a few MB as objects
constexpr std::size_t kLeasePage = 500;  // Leases are small
constexpr std::chrono::seconds kLeaseLook{30};

struct FleetOptions {
  std::string kubeconfig;
  std::string word, selector;  // SELECTOR and --selector; set_selector() joins them into `selector`
  std::string space = "nodescout";
  std::string output;
  std::string group_by, sort;
  bool reverse = false, unhealthy = false, watch = false, labels = false;
};

/// What the options mean.
struct View {
  std::optional<fleet::Key> group_by, sort;
  fleet::RowOptions rows;
  fleet::Texts texts;  // of rows.labels
  Probes probes;
  fleet::ProbeOf probe_of = [this](std::string_view key, const std::string& maker) {
    return probes.of({EntryKind::label, std::string(key)}, maker);
  };
};

OrExit<std::unique_ptr<View>> view_of(const FleetOptions& options) {
  auto view = std::make_unique<View>();
  for (const auto& [option, name, into] :
       {std::tuple{"--group-by", &options.group_by, &view->group_by}, {"--sort", &options.sort, &view->sort}}) {
    if (name->empty()) continue;
    auto key = fleet::key_named(*name, view->rows.extra);
    if (!key) return fail({key.error().code, std::string(option) + " " + *name, key.error().what}, ExitStatus::usage);
    *into = *std::move(key);
  }
  const auto refuse = [](const char* option, const char* what) {
    return fail({Errc::unsupported, option, what}, ExitStatus::usage);
  };
  const bool has_groups = options.output != "csv" && options.output != "html";
  if (view->group_by && !has_groups)
    return refuse("--group-by", "CSV and the page have one row for each Node; use -o table, wide, json or yaml");
  if (options.labels && ((options.output != "json" && options.output != "yaml") || view->group_by || options.watch))
    return refuse("--labels", "prints the labels of single Nodes; use -o json or yaml, without --group-by and --watch");
  if (options.labels) view->rows.labels = &view->texts;
  if (options.reverse && options.sort.empty())
    return refuse("--reverse", "reverses the order of --sort; give --sort, too");
  if (options.watch && (view->group_by || view->sort ||
                        (options.output != "table" && options.output != "wide" && options.output != "json")))
    return refuse("--watch", "follows single Nodes as -o table, wide or json, without --sort and --group-by");
  return view;
}

std::string hint_for_leases(const Error& error) {
  return error.code == Errc::denied ? "allow `list` on leases in this namespace, or name another one with --namespace"
                                    : "the API server did not answer as expected; try again";
}

/// Names the selector in the error of the API server about one that it cannot parse.
Error about_selector(Error error, const std::string& selector) {
  if (error.code == Errc::malformed && !selector.empty()) error.where = "selector " + quote(selector);
  return error;
}

constexpr const char* kNoNode = "no Node has these labels";

/// A selector that no Node has is a mistyped key or command more often than an empty pool.
void warn_of_no_node(Api& api, const std::string& selector) {
  if (selector.empty()) return;
  std::set<std::string> keys;
  const auto read = api.list(collection_path(resources::kNodes), {{"limit", std::to_string(kPage)}},
                             [&](const Value& node) {
                               const Value* labels = at(node, {"metadata", "labels"});
                               if (!labels) return;
                               for (const Member& label : labels->members) keys.insert(label.key);
                             },
                             {}, {false, fleet::is_read_of_node});
  std::vector<Problem> problems{
      {"no-node", "selector " + quote(selector), kNoNode, "see `kubectl get nodes --show-labels`"}};
  if (read) problems[0].todo = fleet::hint_for_selector(selector, keys, {"outliers"});
  print_problems(problems);
}

/// Without the right to read Leases the agents are unknown; everything else is unaffected.
Agents read_agents(Api& api, const FleetOptions& options, bool with_provenance, std::vector<Problem>& problems) {
  Agents agents;
  const std::string path = collection_path(resources::kLeases, options.space);
  const auto read = api.list(path, {{"limit", std::to_string(kLeasePage)}},
                             [&](const Value& lease) {
                               agents.leases.insert_or_assign(text_at(lease, {"metadata", "name"}),
                                                              fleet::agent_lease_of(lease, api.server_time()));
                             },
                             {}, {false, [=](std::span<const std::string> member) {
                                    return fleet::is_read_of_lease(member, with_provenance);
                                  }});
  agents.known = read.has_value();
  if (!read) {
    agents.leases.clear();
    problems.push_back({std::string(name_of(read.error().code)), read.error().where,
                        read.error().what + "; the agents are unknown", hint_for_leases(read.error())});
  } else if (agents.leases.empty()) {
    problems.push_back({"no-leases", "namespace " + options.space, "has no Lease of an agent",
                        "name the agents' namespace with --namespace"});
  }
  return agents;
}

Agents read_agents_once(Api& api, const FleetOptions& options, bool with_provenance) {
  std::vector<Problem> problems;
  Agents agents = read_agents(api, options, with_provenance, problems);
  print_problems(problems);
  return agents;
}

/// Every Node, as a row with its agent. `take` returns false to end it. Errors: as Api::list.
Status read_rows(Api& api, const FleetOptions& options, const fleet::RowOptions& rows, const Agents& agents,
                 const std::function<bool(Row)>& take) {
  std::stop_source stop;
  bool any = false;
  const auto read = api.list(collection_path(resources::kNodes),
                             {{"limit", std::to_string(kPage)}, {"labelSelector", options.selector}},
                             [&](const Value& node) {
                               any = true;
                               if (stop.stop_requested()) return;
                               auto row = fleet::row_of(node, rows);
                               if (!row) return print_problems({problem_of(row.error())});
                               fleet::set_agent(*row, agents);
                               if (!take(*std::move(row))) stop.request_stop();
                             },
                             stop.get_token(), {false, fleet::is_read_of_node});
  if (stop.stop_requested()) return ok();
  if (!read) return about_selector(read.error(), options.selector);
  if (!any) warn_of_no_node(api, options.selector);
  return ok();
}

bool is_wanted(const FleetOptions& options, const Row& row) { return !options.unhealthy || !row.healthy(); }

// ---- how rows are printed as they come ------------------------------------------------------------------------------

/// One of the formats. Rows come one by one; nothing is kept of them but what the format needs.
class RowPrinter {
 public:
  virtual ~RowPrinter() = default;
  virtual std::string add(const Row& row) = 0;
  virtual std::string end(const fleet::Totals& totals) = 0;
};

class TablePrinter final : public RowPrinter {
 public:
  explicit TablePrinter(bool wide) : table_(wide, terminal_style()) {}

  std::string add(const Row& row) override {
    if (begun_) return table_.line(row);
    first_.push_back(row);
    return first_.size() < kPage ? "" : begin();
  }
  std::string end(const fleet::Totals& totals) override {
    return (begun_ ? "" : begin()) + "\n" + fleet::text_of(totals) + "\n";
  }

 private:
  std::string begin() {
    begun_ = true;
    std::string out = table_.begin(first_);
    first_.clear();
    return out;
  }

  FleetTable table_;
  std::vector<Row> first_;
  bool begun_ = false;
};

/// With its labels, if requested.
Value document_of(const Row& row, const View& view) {
  Value map = fleet::to_value(row);
  if (view.rows.labels) map.add("labels", fleet::labels_value(row, view.texts, view.probe_of));
  return map;
}

class JsonPrinter final : public RowPrinter {
 public:
  explicit JsonPrinter(const View& view) : view_(view) {}

  std::string add(const Row& row) override {
    return std::string(std::exchange(begun_, true) ? ",\n" : "{\"nodes\":[\n") + to_json(document_of(row, view_));
  }
  std::string end(const fleet::Totals& totals) override {
    return std::string(begun_ ? "\n" : "{\"nodes\":[") + "],\n\"totals\":" + to_json(fleet::to_value(totals)) + "}\n";
  }

 private:
  const View& view_;
  bool begun_ = false;
};

class YamlPrinter final : public RowPrinter {
 public:
  explicit YamlPrinter(const View& view) : view_(view) {}

  std::string add(const Row& row) override {
    Value list = Value::list();
    list.items.push_back(document_of(row, view_));
    return (std::exchange(begun_, true) ? "" : "nodes:\n") + to_yaml(list);
  }
  std::string end(const fleet::Totals& totals) override {
    Value map = Value::map();
    map.add("totals", fleet::to_value(totals));
    return (begun_ ? "" : "nodes: []\n") + to_yaml(map);
  }

 private:
  const View& view_;
  bool begun_ = false;
};

class CsvPrinter final : public RowPrinter {
 public:
  std::string add(const Row& row) override { return head() + fleet::csv_line(row); }
  std::string end(const fleet::Totals&) override { return head(); }

 private:
  std::string head() { return std::exchange(begun_, true) ? "" : fleet::csv_header(); }

  bool begun_ = false;
};

std::unique_ptr<RowPrinter> printer_of(const std::string& output, const View& view) {
  if (output == "json") return std::make_unique<JsonPrinter>(view);
  if (output == "yaml") return std::make_unique<YamlPrinter>(view);
  if (output == "csv") return std::make_unique<CsvPrinter>();
  return std::make_unique<TablePrinter>(output == "wide");
}

std::string groups_text(const FleetOptions& options, const std::vector<fleet::GroupOfRows>& groups,
                        const fleet::Totals& totals) {
  if (options.output != "json" && options.output != "yaml")
    return group_table(options.group_by, groups, terminal_style()) + "\n" + fleet::text_of(totals) + "\n";
  Value list = Value::list();
  for (const fleet::GroupOfRows& group : groups) list.items.push_back(fleet::to_value(group));
  Value map = Value::map();
  map.add("groups", std::move(list));
  map.add("totals", fleet::to_value(totals));
  return options.output == "json" ? to_json(map, 2) + "\n" : to_yaml(map);
}

/// After an error of the list: what was printed so far is not all.
ExitStatus incomplete(const Error& error) {
  return fail({error.code, error.where, error.what + "; the list is incomplete"});
}

ExitStatus fleet_once(Api& api, const FleetOptions& options, View& view) {
  const Agents agents = read_agents_once(api, options, options.labels);
  const std::unique_ptr<RowPrinter> printer = printer_of(options.output, view);
  fleet::Totals totals;
  std::vector<Row> kept;  // where the order is known only at the end
  const bool keeps = view.sort || view.group_by;
  ExitStatus printed = ExitStatus::done;
  const auto show = [&](const Row& row) {
    if (const std::string text = printer->add(row); !text.empty()) printed = print(text);
    return printed == ExitStatus::done;
  };
  const Status read = read_rows(api, options, view.rows, agents, [&](Row row) {
    if (!is_wanted(options, row)) return true;
    totals.add(row);
    if (!keeps) return show(row);
    kept.push_back(std::move(row));
    return true;
  });
  if (printed != ExitStatus::done) return printed;
  if (!read) return incomplete(read.error());
  const ExitStatus status = options.unhealthy && totals.nodes > 0 ? ExitStatus::found : ExitStatus::done;
  if (view.sort) fleet::sort_by(*view.sort, options.reverse, kept);
  if (view.group_by) return print(groups_text(options, fleet::grouped(*view.group_by, kept), totals), status);
  for (const Row& row : kept)
    if (!show(row)) return printed;
  return print(printer->end(totals), status);
}

// ---- following ------------------------------------------------------------------------------------------------------

/// Prints a line for each Node that is new.
class Follower {
 public:
  Follower(Api& api, const FleetOptions& options)
      : api_(api),
        options_(options),
        table_(options.output == "wide", terminal_style()),
        followed_(options.unhealthy) {}

  ExitStatus run(Clock& clock) {
    std::vector<Problem> problems;
    agents_ = read_agents(api_, options_, false, problems);
    print_problems(followed_.fresh(problems));
    WatchTarget target{.resource = resources::kNodes, .space = {}, .labels = options_.selector, .fields = {}};
    target.page = kPage;
    target.keep = [] { return KeepMember(fleet::is_read_of_node); };
    Watch watch(api_, clock, target, [this](const WatchEvent& event) { take(event); });
    std::jthread watching([&](const std::stop_token& stop) { watch.run(stop); });
    std::unique_lock lock(mutex_);
    while (status_ == ExitStatus::done) {
      if (changed_.wait_for(lock, kLeaseLook) != std::cv_status::timeout) continue;
      lock.unlock();
      problems.clear();
      Agents next = read_agents(api_, options_, false, problems);
      lock.lock();
      print_problems(followed_.fresh(problems));
      agents_ = std::move(next);
      for (const Row& row : followed_.set_agents(agents_)) show(row);
    }
    return status_;
  }

 private:
  void take(const WatchEvent& event) {
    const std::lock_guard lock(mutex_);
    switch (event.kind) {
      case WatchEvent::Kind::added:
      case WatchEvent::Kind::modified: put(*event.object); break;
      case WatchEvent::Kind::removed:
        if (followed_.remove(std::string(event.key))) show_removed(std::string(event.key));
        break;
      case WatchEvent::Kind::synced: show_all(); break;
      case WatchEvent::Kind::trouble:
        if (!followed_.is_synced() && is_final(*event.error))
          return end(about_selector(*event.error, options_.selector));
        print_problems({problem_of(*event.error)});
        break;
      default: break;
    }
  }

  /// Before the first table: the server has understood the request and refuses it, and will do so again.
  static bool is_final(const Error& error) {
    return error.code == Errc::malformed || error.code == Errc::denied || error.code == Errc::unsupported;
  }

  void end(const Error& error) {
    if (status_ != ExitStatus::done) return;
    status_ = fail(error);
    changed_.notify_all();
  }

  void put(const Value& node) {
    auto row = fleet::row_of(node, {});
    if (!row) return print_problems({problem_of(row.error())});
    if (!std::exchange(any_, true) && followed_.is_synced() && !options_.selector.empty())
      print_problems({{"node-came", "selector " + quote(options_.selector),
                       (*row)[Column::name] + " is the first Node with these labels", ""}});
    fleet::set_agent(*row, agents_);
    if (const Row* news = followed_.put(*std::move(row))) show(*news);
  }

  void show_all() {
    if (followed_.is_synced()) return;
    const std::vector<Row> rows = followed_.synced();
    if (!any_) warn_of_no_node(api_, options_.selector);
    has_head_ = any_;
    if (options_.output == "json")
      for (const Row& row : rows) write(to_json(fleet::to_value(row)) + "\n");
    else if (has_head_)
      write(table_.begin(rows));
  }

  void show(const Row& row) {
    if (options_.output == "json") return write(to_json(fleet::to_value(row)) + "\n");
    // Where there was no Node, the columns get their widths from the first row that comes.
    write(std::exchange(has_head_, true) ? table_.line(row) : table_.begin({row}));
  }

  void show_removed(const std::string& name) {
    Value gone = Value::map();
    gone.add("name", Value::string(name));
    gone.add("removed", Value::boolean(true));
    write(options_.output == "json" ? to_json(gone) + "\n" : printable(name) + "  removed\n");
  }

  void write(const std::string& text) {
    if (print(text) == ExitStatus::done) return;
    status_ = ExitStatus::failed;
    changed_.notify_all();
  }

  Api& api_;
  const FleetOptions& options_;
  FleetTable table_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Agents agents_;
  fleet::Followed followed_;
  bool any_ = false;       // a Node with the labels was seen
  bool has_head_ = false;  // the table was begun
  ExitStatus status_ = ExitStatus::done;
};

ExitStatus fleet_page(Api& api, const FleetOptions& options, View& view) {
  const Agents agents = read_agents_once(api, options, true);
  fleet::Totals totals;
  std::vector<Row> rows;
  view.rows.labels = &view.texts;
  const Status read = read_rows(api, options, view.rows, agents, [&](Row row) {
    if (is_wanted(options, row)) totals.add(row);
    rows.push_back(std::move(row));
    return true;
  });
  if (!read) return fail(read.error());
  if (view.sort) fleet::sort_by(*view.sort, options.reverse, rows);
  // Of all: the majority is that of the healthy ones.
  std::vector<fleet::Outlier> outliers = fleet::outliers_of(rows, view.texts);
  if (options.unhealthy) fleet::keep_unhealthy(rows, outliers);
  const std::string made = rfc3339_micro(api.server_time());
  ExitStatus printed = ExitStatus::done;
  std::string pending;  // the page comes in small pieces
  constexpr std::size_t kBlock = 1 << 16;
  const auto flush = [&] {
    if (printed == ExitStatus::done) printed = print(pending);
    pending.clear();
  };
  fleet::write_page({rows, view.texts, outliers, totals, made.substr(0, made.find('.')) + "Z", view.probe_of},
                    [&](std::string_view piece) {
                      pending += piece;
                      if (pending.size() >= kBlock) flush();
                    });
  flush();
  if (printed != ExitStatus::done) return printed;
  return options.unhealthy && totals.nodes > 0 ? ExitStatus::found : ExitStatus::done;
}

ExitStatus run_fleet(const FleetOptions& options) {
  auto view = view_of(options);
  if (!view) return view.status();
  const auto connection = ApiConnection::open(options.kubeconfig);
  if (!connection) return fail_to_open(connection.error());
  Api& api = (*connection)->api();
  if (options.watch) return leave(Follower(api, options).run((*connection)->clock()));
  return leave(options.output == "html" ? fleet_page(api, options, **view) : fleet_once(api, options, **view));
}

// ---- outliers -------------------------------------------------------------------------------------------------------

ExitStatus run_outliers(const FleetOptions& options) {
  const auto connection = ApiConnection::open(options.kubeconfig);
  if (!connection) return fail_to_open(connection.error());
  Api& api = (*connection)->api();
  fleet::Texts texts;
  std::vector<Row> rows;
  const Agents agents{.known = true, .leases = {}};  // whether agents are alive makes no machine differ
  const Status read = read_rows(api, options, {.extra = {}, .labels = &texts}, agents, [&](Row row) {
    rows.push_back(std::move(row));
    return true;
  });
  if (!read) return fail(read.error());
  const std::vector<fleet::Outlier> outliers = fleet::outliers_of(rows, texts);
  std::string out;
  if (options.output == "csv") {
    out = fleet::csv_of(outliers);
  } else if (options.output == "json" || options.output == "yaml") {
    Value list = Value::list();
    for (const fleet::Outlier& each : outliers) list.items.push_back(fleet::to_value(each));
    Value map = Value::map();
    map.add("nodes", Value::integer(static_cast<std::int64_t>(rows.size())));
    map.add("outliers", std::move(list));
    out = options.output == "json" ? to_json(map, 2) + "\n" : to_yaml(map);
  } else if (outliers.empty()) {
    out = "no differences among " + std::to_string(rows.size()) + " Nodes\n";
  } else {
    out = outlier_table(outliers, terminal_style());
  }
  return leave(print(out, outliers.empty() ? ExitStatus::done : ExitStatus::found));
}

void add_selector(OptionSet& options, FleetOptions& chosen) {
  options.argument("SELECTOR", chosen.word, "Only Nodes with these labels, as kubectl selects [all]", false);
  options.value("-l,--selector", "SELECTOR", chosen.selector,
                "The same, as an option; with both, Nodes must match both");
  add_kubeconfig(options, chosen.kubeconfig);
}

void set_selector(FleetOptions& chosen) {
  if (!chosen.word.empty()) chosen.selector = chosen.word + (chosen.selector.empty() ? "" : "," + chosen.selector);
  chosen.word.clear();
}

Run set_up_fleet(OptionSet& options) {
  const auto chosen = std::make_shared<FleetOptions>();
  chosen->output = "table";
  add_selector(options, *chosen);
  options.value("-n,--namespace", "NAME", chosen->space, "Namespace of the agents' Leases [nodescout]");
  options.value("--group-by", "KEY", chosen->group_by, "One line for each value of a column or label");
  options.value("--sort", "KEY", chosen->sort, "Order by a column or label [the API server's order, by name]");
  options.flag("--reverse", chosen->reverse, "Largest values first");
  options.flag("--unhealthy", chosen->unhealthy, "Only Nodes with something wrong; exit status 3 if there are any");
  options.choice("-o,--output", "FORMAT", {"table", "wide", "json", "yaml", "csv", "html"}, chosen->output,
                 "Output format; html is one page that works offline [table]");
  options.flag("--labels", chosen->labels, "With -o json or yaml: every label, what made it, and since when");
  options.flag("-w,--watch", chosen->watch, "Then print each Node again when something about it changes");
  return [chosen] {
    set_selector(*chosen);
    return run_fleet(*chosen);
  };
}

Run set_up_outliers(OptionSet& options) {
  const auto chosen = std::make_shared<FleetOptions>();
  chosen->output = "table";
  add_selector(options, *chosen);
  options.choice("-o,--output", "FORMAT", {"table", "json", "yaml", "csv"}, chosen->output, "Output format [table]");
  return [chosen] {
    set_selector(*chosen);
    return run_outliers(*chosen);
  };
}

const Command outliers_command{
    .name = "outliers",
    .summary = "Print how machines that should be equal differ",
    .examples =
        "  nodescout fleet outliers                          exit status 3 if there are any\n"
        "  nodescout fleet outliers -l pool=training -o csv",
    .set_up = set_up_outliers};
constexpr const Command* kInner[] = {&outliers_command};

}  // namespace

extern const Command fleet_command;
const Command fleet_command{.name = "fleet",
                            .summary = "Print all machines of a cluster, and what is wrong with them",
                            .examples =
                                "  nodescout fleet                                   one line for each Node\n"
                                "  nodescout fleet --unhealthy                       exit status 3 if there are any\n"
                                "  nodescout fleet --group-by model                  how many there are of each\n"
                                "  nodescout fleet -l pool=training --sort driver -o wide\n"
                                "  nodescout fleet --group-by topology.kubernetes.io/zone -o json\n"
                                "  nodescout fleet -w                                follow changes\n"
                                "  nodescout fleet -o html > fleet.html              one page, for a browser",
                            .set_up = set_up_fleet,
                            .inner = kInner};

}  // namespace nodescout::cli
