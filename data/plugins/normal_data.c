/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A density as a plug-in of buffon: mean mu and standard deviation sigma of normal data y_1, ..., y_n under the prior 1 / sigma,
 *
 *     log p(mu, sigma) = -(n + 1) log sigma - sum (y_i - mu)^2 / (2 sigma^2),
 *
 * with the 90 % quantile of the data stored with every draw. The configuration holds the data, at least two numbers with spaces between.
 *
 *     cc -shared -fPIC -O2 -ffp-contract=off -I BUFFON_INCLUDE_DIRECTORY -o libnormal_data.so normal_data.c -lm
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <buffon/model/density_plugin.h>

struct buffon_density {
  double n, mean, squares; /* of the data: number, mean, sum of squares about it */
};

int32_t buffon_density_abi(void) { return BUFFON_DENSITY_ABI; }

buffon_density* buffon_density_create(const char* configuration, char* message) {
  double n = 0, mean = 0, squares = 0;
  const char* text = configuration;
  for (;;) {
    char* end;
    const double y = strtod(text, &end);
    if (end == text) break;
    n += 1;
    const double step = y - mean;
    mean += step / n;
    squares += step * (y - mean);
    text = end;
  }
  while (*text == ' ') ++text;
  if (*text != '\0' || n < 2 || !(squares > 0) || !isfinite(squares)) {
    snprintf(message, BUFFON_DENSITY_MESSAGE, "expected at least two different finite numbers with spaces between");
    return NULL;
  }
  buffon_density* density = malloc(sizeof *density);
  if (density == NULL) {
    snprintf(message, BUFFON_DENSITY_MESSAGE, "out of memory");
    return NULL;
  }
  density->n = n;
  density->mean = mean;
  density->squares = squares;
  return density;
}

void buffon_density_destroy(buffon_density* density) { free(density); }

int32_t buffon_density_parameters(const buffon_density* density) {
  (void)density;
  return 2;
}

void buffon_density_describe(const buffon_density* density, int32_t k, buffon_density_parameter* parameter) {
  (void)density;
  parameter->name = k == 0 ? "mu" : "sigma";
  if (k == 1) {
    parameter->constraint = BUFFON_DENSITY_LOWER;
    parameter->lower = 0;
  }
}

int32_t buffon_density_evaluate(const buffon_density* density, int64_t n, const double* x, int64_t x_stride, double* out, char* message) {
  (void)message;
  for (int64_t i = 0; i < n; ++i) {
    const double mu = x[i * x_stride], sigma = x[i * x_stride + 1];
    const double distance = (density->mean - mu) / sigma;
    out[i] = -(density->n + 1) * log(sigma) - 0.5 * (density->squares / (sigma * sigma) + density->n * distance * distance);
  }
  return 0;
}

int32_t buffon_density_generated(const buffon_density* density) {
  (void)density;
  return 1;
}

const char* buffon_density_generated_name(const buffon_density* density, int32_t k) {
  (void)density;
  (void)k;
  return "q90";
}

int32_t buffon_density_generate(const buffon_density* density, int64_t n, const double* x, int64_t x_stride, double* out, int64_t out_stride,
                                char* message) {
  (void)density;
  (void)message;
  for (int64_t i = 0; i < n; ++i) out[i * out_stride] = x[i * x_stride] + 1.2815515655446004 * x[i * x_stride + 1];
  return 0;
}
