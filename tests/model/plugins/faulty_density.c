/* SPDX-License-Identifier: BSD-3-Clause */
/* A density with faults: FAULTY_ABI and FAULTY_SYMBOL when it is built, the others by its configuration. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <buffon/model/density_plugin.h>

struct buffon_density {
  char fault[32];
};

static buffon_density the_density;

static int has(const buffon_density* density, const char* fault) { return strcmp(density->fault, fault) == 0; }

#ifdef FAULTY_ABI
int32_t buffon_density_abi(void) { return BUFFON_DENSITY_ABI + 1; }
#else
int32_t buffon_density_abi(void) { return BUFFON_DENSITY_ABI; }
#endif

buffon_density* buffon_density_create(const char* configuration, char* message) {
  if (strcmp(configuration, "create") == 0) {
    memset(message, 'x', BUFFON_DENSITY_MESSAGE); /* no end */
    return NULL;
  }
  if (strcmp(configuration, "silent") == 0) return NULL;
  snprintf(the_density.fault, sizeof the_density.fault, "%s", configuration);
  return &the_density;
}

void buffon_density_destroy(buffon_density* density) { (void)density; }

int32_t buffon_density_parameters(const buffon_density* density) { return has(density, "parameters") ? 0 : 1; }

void buffon_density_describe(const buffon_density* density, int32_t k, buffon_density_parameter* parameter) {
  (void)k;
  if (has(density, "null name")) return;
  parameter->name = has(density, "bad name") ? "a b" : "x";
  if (has(density, "size")) parameter->size = -1;
  if (has(density, "constraint")) parameter->constraint = 8;
  if (has(density, "bounds")) parameter->constraint = BUFFON_DENSITY_INTERVAL;
}

#ifndef FAULTY_SYMBOL
/* -x where x > 0, nothing at 0, a failure below. */
int32_t buffon_density_evaluate(const buffon_density* density, int64_t n, const double* x, int64_t x_stride, double* out, char* message) {
  (void)density;
  for (int64_t i = 0; i < n; ++i) {
    const double at = x[i * x_stride];
    if (at < 0) {
      snprintf(message, BUFFON_DENSITY_MESSAGE, "the mesh is\ndegenerate");
      return 7;
    }
    out[i] = at > 0 ? -at : -INFINITY;
  }
  return 0;
}
#endif
