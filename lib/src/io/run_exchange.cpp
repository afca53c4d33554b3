// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/io/run_exchange.hpp>

#include <utility>

namespace buffon {

void RunExchange::watch(Context& context, std::function<std::int64_t()> replaced) {
  context_ = &context;
  replaced_ = std::move(replaced);
}

void RunExchange::begin_loop() { start_ = {context_->evaluations(), replaced_()}; }

RunExchange::Tally RunExchange::tally() const { return {context_->evaluations() - start_.evaluations, replaced_() - start_.replaced}; }

void RunExchange::end_loop(std::int64_t blocks, const Tally& elsewhere) {
  position_.loops += 1;
  position_.blocks += blocks;
  context_->add_evaluations(elsewhere.evaluations);
  replaced_elsewhere_ += elsewhere.replaced;
}

}  // namespace buffon
