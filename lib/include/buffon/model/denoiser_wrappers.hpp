// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/denoiser.hpp>

#include <limits>
#include <memory>

namespace buffon {

/// Guidance without a classifier (Ho and Salimans, 2022): answer u + weight (c − u), c for the labels of the call, u for none. One call of twice the columns.
/// Weight 1 is the plain conditional model, and so is what lies outside the times [from, to] or has no labels.
/// @throws Error(configuration) where the model takes no labels
std::shared_ptr<const Denoiser> guided(std::shared_ptr<const Denoiser> denoiser, double weight, double from = -std::numeric_limits<double>::infinity(),
                                       double to = std::numeric_limits<double>::infinity());

/// A network F scaled as Karras and others (2022) do: with y = x / alpha, rho = sigma / alpha and d the deviation of the data,
/// D = c_skip y + c_out F(c_in y, c_noise), c_skip = d² / (rho² + d²), c_out = rho d / √(rho² + d²), c_in = 1 / √(rho² + d²), c_noise = log(rho) / 4.
/// The network finds c_in y as states, and levels of time c_noise with alpha = 1 and sigma = rho. Answers data.
std::shared_ptr<const Denoiser> edm_denoiser(std::shared_ptr<const Denoiser> network, double deviation = 0.5);

/// Data of pixels in [−1, 1] (Saharia and others, 2022, "dynamic thresholding"): D ← clamp(D, −q, q) / q, q the quantile of the |D| of a sample, between order
/// statistics linear, at least 1. Answers data; the quantiles are taken on the host. Changes the flow: no order is kept.
/// @param schedule by which answers of another kind become data
std::shared_ptr<const Denoiser> thresholded(std::shared_ptr<const Denoiser> denoiser, std::shared_ptr<const NoiseSchedule> schedule, double quantile = 0.995);

}  // namespace buffon
