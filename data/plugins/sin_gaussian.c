/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A nested expectation of depth 2 as a plug-in of buffon: y0 ~ N(mean, 1), y1 ~ N(y0, 1), y2 ~ N(y1, 1) with the links
 * sin(y0 + z), sin(y1 - z), y2. The configuration is the number `mean`; "" stands for pi / 2.
 *
 *     cc -shared -fPIC -O2 -ffp-contract=off -I BUFFON_INCLUDE_DIRECTORY -o libsin_gaussian.so sin_gaussian.c -lm
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <buffon/model/nested_plugin.h>

struct buffon_nested {
  double mean;
};

int32_t buffon_nested_abi(void) { return BUFFON_NESTED_ABI; }

buffon_nested* buffon_nested_create(const char* configuration, char* message) {
  double mean = 1.57079632679489661923;
  if (configuration[0] != '\0') {
    char* end;
    mean = strtod(configuration, &end);
    if (*end != '\0' || !isfinite(mean)) {
      snprintf(message, BUFFON_NESTED_MESSAGE, "expected the mean of y0, a finite number");
      return NULL;
    }
  }
  buffon_nested* problem = malloc(sizeof *problem);
  if (problem == NULL) {
    snprintf(message, BUFFON_NESTED_MESSAGE, "out of memory");
    return NULL;
  }
  problem->mean = mean;
  return problem;
}

void buffon_nested_destroy(buffon_nested* problem) { free(problem); }

int32_t buffon_nested_depth(const buffon_nested* problem) {
  (void)problem;
  return 2;
}

int32_t buffon_nested_components(const buffon_nested* problem, int32_t d) {
  (void)problem;
  (void)d;
  return 1;
}

const char* buffon_nested_name(const buffon_nested* problem, int32_t d, int32_t k) {
  static const char* const names[] = {"y0", "y1", "y2"};
  (void)problem;
  (void)k;
  return names[d];
}

int32_t buffon_nested_normals(const buffon_nested* problem, int32_t d) {
  (void)problem;
  (void)d;
  return 1;
}

int32_t buffon_nested_sample(const buffon_nested* problem, int32_t d, int64_t n, const double* past, int64_t past_stride, const double* z, int64_t z_stride,
                             double* y, int64_t y_stride, char* message) {
  (void)message;
  for (int64_t i = 0; i < n; ++i) {
    const double mean = d == 0 ? problem->mean : past[i * past_stride + d - 1];
    y[i * y_stride] = mean + z[i * z_stride];
  }
  return 0;
}

int32_t buffon_nested_link(const buffon_nested* problem, int32_t d, int64_t n, const double* path, int64_t path_stride, const double* inner, double* out,
                           char* message) {
  (void)problem;
  (void)message;
  for (int64_t i = 0; i < n; ++i) {
    const double y = path[i * path_stride + d];
    out[i] = d == 2 ? y : d == 1 ? sin(y - inner[i]) : sin(y + inner[i]);
  }
  return 0;
}
