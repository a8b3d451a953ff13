// Kubernetes' quantities ("4", "1.5", "500m", "2Ki", "1e3"), exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nodescout {

class Quantity {
 public:
  /// Nothing for a text that is not a quantity, or is longer than 100 characters.
  static std::optional<Quantity> parse(std::string_view text);

  bool negative() const { return negative_; }
  bool is_whole() const;
  /// Kubernetes stores 2^63-1 in place of all that is larger.
  bool is_too_large() const;
  /// Nothing if it is negative, not whole, or 10^18 and more.
  std::optional<std::int64_t> count() const;
  /// In thousandths, rounded up as Go's MilliValue does. 0 if it is negative; 10^18 if it is that or more.
  std::int64_t thousandths() const;
  /// By value: "1k" is "1000".
  friend bool operator==(const Quantity&, const Quantity&) = default;

 private:
  bool negative_ = false;
  std::string digits_;     // neither begins nor ends with 0, but for "0" itself
  std::int64_t tens_ = 0;  // the value is digits * 10^tens
};

}  // namespace nodescout
