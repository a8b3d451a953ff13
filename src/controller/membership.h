// Which Nodes match which of several things: rule objects, or groups. One bit for each Node and thing. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace nodescout {

class Membership {
 public:
  using Of = std::vector<bool>;

  /// Other things than before: nothing is known of any Node.
  void restart(std::size_t things);
  /// True if that is new.
  bool put(const std::string& node, const Of& of);
  bool remove(const std::string& node);

  std::size_t nodes() const { return nodes_.size(); }
  std::size_t things() const { return counts_.size(); }
  std::size_t count(std::size_t thing) const { return counts_[thing]; }
  /// Sorted.
  std::vector<std::string> members(std::size_t thing) const;

 private:
  std::map<std::string, Of, std::less<>> nodes_;
  std::vector<std::size_t> counts_;
};

}  // namespace nodescout
