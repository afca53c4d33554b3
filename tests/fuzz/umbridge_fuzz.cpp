// SPDX-License-Identifier: BSD-3-Clause
// Any answer of a server and any request to ours is read without a crash; what counts as output is complete and finite, and
// our server answers in JSON. The first byte chooses who reads.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <buffon/model/umbridge_server.hpp>

#include "model/umbridge_protocol.hpp"

namespace {

using namespace buffon;

void require(bool condition) {
  if (!condition) std::abort();
}

template <class Value>
void check_fault(const detail::Parsed<Value>& parsed) {
  require(parsed.fault.find('\n') == std::string::npos);
}

void check_answer(std::string_view path, std::string_view body) {
  static const UmbridgeService service({{"m", make_model(2, {"a", "b"}, [](const ConstMatrix& x, MutMatrix y) { y = x; })}});
  const auto [status, text] = service.answer("POST", path, body);
  const auto json = nlohmann::json::parse(text);
  require(json.size() == 1);
  require((status == 200) != json.contains("error"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'i':
      check_fault(detail::parse_info(200, body));
      break;
    case 'm':
      check_fault(detail::parse_evaluate_support(200, body));
      break;
    case 's': {
      const auto sizes = detail::parse_sizes(200, body, "inputSizes");
      check_fault(sizes);
      std::int64_t total = 0;
      for (const std::int64_t n : sizes.value) total += n;
      require(!sizes.fault.empty() || (total > 0 && total <= detail::largest_total_size));
      break;
    }
    case 'c': {
      const auto config = detail::parse_config(body);
      require(!config.fault.empty() || nlohmann::json::parse(config.value).is_object());
      break;
    }
    case 'e':
      check_answer("/Evaluate", body);
      break;
    case 'q':
      check_answer("/OutputSizes", body);
      break;
    default: {
      const std::int64_t sizes[] = {1, 2};
      const auto output = detail::parse_output(data[0] == 'x' ? 500 : 200, body, sizes, {"a", "b", "c"});
      check_fault(output);
      require(output.fault.empty() == (output.value.size() == 3));
      for (const double value : output.value) require(std::isfinite(value));
    }
  }
  return 0;
}
