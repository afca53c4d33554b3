/* SPDX-License-Identifier: BSD-3-Clause */
/* A plug-in with faults: FAULTY_ABI and FAULTY_SYMBOL when it is built, the others by its configuration. */
#include <stdio.h>
#include <string.h>

#include <buffon/model/nested_plugin.h>

struct buffon_nested {
  char fault[32];
};

static buffon_nested the_problem;

static int has(const buffon_nested* problem, const char* fault) { return strcmp(problem->fault, fault) == 0; }

#ifdef FAULTY_ABI
int32_t buffon_nested_abi(void) { return BUFFON_NESTED_ABI + 1; }
#else
int32_t buffon_nested_abi(void) { return BUFFON_NESTED_ABI; }
#endif

buffon_nested* buffon_nested_create(const char* configuration, char* message) {
  if (strcmp(configuration, "create") == 0) {
    memset(message, 'x', BUFFON_NESTED_MESSAGE); /* no end */
    return NULL;
  }
  if (strcmp(configuration, "silent") == 0) return NULL;
  snprintf(the_problem.fault, sizeof the_problem.fault, "%s", configuration);
  return &the_problem;
}

void buffon_nested_destroy(buffon_nested* problem) { (void)problem; }

int32_t buffon_nested_depth(const buffon_nested* problem) { return has(problem, "depth") ? -1 : has(problem, "deep") ? 64 : 1; }

int32_t buffon_nested_components(const buffon_nested* problem, int32_t d) { return has(problem, "components") && d == 1 ? -2 : 1; }

const char* buffon_nested_name(const buffon_nested* problem, int32_t d, int32_t k) {
  (void)k;
  if (has(problem, "null name")) return NULL;
  if (has(problem, "bad name")) return "y 0";
  return d == 0 || has(problem, "same name") ? "y0" : "y1";
}

int32_t buffon_nested_normals(const buffon_nested* problem, int32_t d) { return has(problem, "normals") && d == 1 ? -3 : 1; }

#ifndef FAULTY_SYMBOL
int32_t buffon_nested_sample(const buffon_nested* problem, int32_t d, int64_t n, const double* past, int64_t past_stride, const double* z, int64_t z_stride,
                             double* y, int64_t y_stride, char* message) {
  (void)d;
  (void)past;
  (void)past_stride;
  if (has(problem, "sample")) {
    snprintf(message, BUFFON_NESTED_MESSAGE, "the mesh is\ndegenerate");
    return 7;
  }
  for (int64_t i = 0; i < n; ++i) y[i * y_stride] = z[i * z_stride];
  return 0;
}
#endif

int32_t buffon_nested_link(const buffon_nested* problem, int32_t d, int64_t n, const double* path, int64_t path_stride, const double* inner, double* out,
                           char* message) {
  (void)d;
  (void)path;
  (void)path_stride;
  (void)message;
  if (has(problem, "link")) return 1;
  for (int64_t i = 0; i < n; ++i) out[i] = inner[i];
  return 0;
}
