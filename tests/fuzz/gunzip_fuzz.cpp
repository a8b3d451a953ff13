// Compressed bytes: the content within its cap, or an error.
#include "base/gunzip_libdeflate.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nodescout;
  for (const std::size_t cap : {std::size_t{0}, std::size_t{100}, std::size_t{1} << 20}) {
    const auto content = gunzip(fuzz::text_of(data, size), "f", cap);
    if (content)
      fuzz::must(content->size() <= cap, "the content is within the cap");
    else
      fuzz::must(content.error().where == "f" && !content.error().what.empty(), "an error has a place and words");
  }
  return 0;
}
