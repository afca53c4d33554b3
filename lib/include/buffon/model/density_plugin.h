/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A density in a shared library, with a C interface: the logarithm of an unnormalised density of named parameters, for samplers.
 *
 * The library defines the functions below. Build it for example with
 *
 *     cc -shared -fPIC -O2 -ffp-contract=off -o libmine.so mine.c -lm
 *
 * Threads: the functions that take a const buffon_density* are called from several threads at once, for the same object; they must not
 * change it or anything global. create and destroy are called by one thread at a time.
 *
 * Results must be functions of the arguments alone, and those of a point must not depend on the other points of the call;
 * otherwise runs cannot be repeated.
 *
 * Points: the components of all parameters in their order, one below the other. A batch is n points, one after the other: component r
 * of point i stands at x[i * x_stride + r]; a stride is at least the number of components. Points lie strictly inside the constraints
 * of the parameters.
 *
 * Errors: a function that has `message` returns 0 for success, anything else (create: NULL) for failure, after writing what is wrong
 * into message, BUFFON_DENSITY_MESSAGE bytes including the final zero. C++ exceptions must not leave a function. Outside the support
 * the log density is -INFINITY; that is no failure.
 */
#ifndef BUFFON_MODEL_DENSITY_PLUGIN_H
#define BUFFON_MODEL_DENSITY_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BUFFON_DENSITY_EXPORT __attribute__((visibility("default")))
#else
#define BUFFON_DENSITY_EXPORT
#endif

/* Version of this interface. */
#define BUFFON_DENSITY_ABI 1

/* Bytes of a message. */
#define BUFFON_DENSITY_MESSAGE 512

/* The library's own object; never looked into. */
typedef struct buffon_density buffon_density;

/* Where a parameter lies. The log density is with respect to the Lebesgue measure of the components (simplex: of the first K - 1;
 * unit_vector: the surface measure); it knows nothing of the transforms that samplers use. */
enum buffon_density_constraint {
  BUFFON_DENSITY_NONE = 0,
  BUFFON_DENSITY_LOWER = 1,            /* x > lower */
  BUFFON_DENSITY_UPPER = 2,            /* x < upper */
  BUFFON_DENSITY_INTERVAL = 3,         /* lower < x < upper */
  BUFFON_DENSITY_SIMPLEX = 4,          /* K numbers > 0 with sum 1 */
  BUFFON_DENSITY_ORDERED = 5,          /* x_1 < x_2 < ... */
  BUFFON_DENSITY_POSITIVE_ORDERED = 6, /* 0 < x_1 < x_2 < ... */
  BUFFON_DENSITY_UNIT_VECTOR = 7       /* |x| = 1; the only parameter, for samplers on the sphere */
};

/* One parameter: a number, or a vector under one name and constraint. */
typedef struct buffon_density_parameter {
  const char* name;   /* letters, digits and _, no digit first; lives as long as the object */
  int32_t size;       /* 0 = a single number NAME; K >= 1 = numbers NAME.1 ... NAME.K */
  int32_t constraint; /* of enum buffon_density_constraint */
  double lower;       /* for lower and interval */
  double upper;       /* for upper and interval */
} buffon_density_parameter;

/* Returns BUFFON_DENSITY_ABI; the first function called. */
BUFFON_DENSITY_EXPORT int32_t buffon_density_abi(void);

/* Makes an object. `configuration` is the text of `configuration` in the job, "" when there is none; it ends with the call. */
BUFFON_DENSITY_EXPORT buffon_density* buffon_density_create(const char* configuration, char* message);

BUFFON_DENSITY_EXPORT void buffon_density_destroy(buffon_density* density);

/* Number of parameters, at least 1. */
BUFFON_DENSITY_EXPORT int32_t buffon_density_parameters(const buffon_density* density);

/* Describes parameter k, from 0. `parameter` comes as a single number without a constraint: set the name, and what differs. */
BUFFON_DENSITY_EXPORT void buffon_density_describe(const buffon_density* density, int32_t k, buffon_density_parameter* parameter);

/* out[i] = log density at point i, for n points. */
BUFFON_DENSITY_EXPORT int32_t buffon_density_evaluate(const buffon_density* density, int64_t n, const double* x, int64_t x_stride, double* out, char* message);

/*
 * Optional, all three or none: other numbers that are stored with every draw.
 */

/* Number of generated columns, at least 0. */
BUFFON_DENSITY_EXPORT int32_t buffon_density_generated(const buffon_density* density);

/* Name of generated column k, from 0: as those of parameters, then perhaps a dot and a number, "theta.2". Lives as long as the object. */
BUFFON_DENSITY_EXPORT const char* buffon_density_generated_name(const buffon_density* density, int32_t k);

/* Column k of point i into out[i * out_stride + k], for n points. */
BUFFON_DENSITY_EXPORT int32_t buffon_density_generate(const buffon_density* density, int64_t n, const double* x, int64_t x_stride, double* out,
                                                      int64_t out_stride, char* message);

#ifdef __cplusplus
}
#endif

#endif
