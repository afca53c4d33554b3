/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nested expectations in a shared library, with a C interface. A path y^0, ..., y^D is drawn step by step, y^d given
 * y^0, ..., y^{d-1}; the links g_d define
 *
 *     gamma_D = E[ g_D(y^0 ... y^D) | y^0 ... y^{D-1} ],
 *     gamma_d = E[ g_d(y^0 ... y^d, gamma_{d+1}) | y^0 ... y^{d-1} ],   d = D-1, ..., 0;   wanted: gamma_0.
 *
 * The library defines all functions below. Build it for example with
 *
 *     cc -shared -fPIC -O2 -ffp-contract=off -o libmine.so mine.c -lm
 *
 * Threads: the functions that take a const buffon_nested* are called from several threads at once, for the same object; they must not
 * change it or anything global. create and destroy are called by one thread at a time.
 *
 * Results must be functions of the arguments alone, and those of a path must not depend on the other paths of the call;
 * otherwise runs cannot be repeated. All randomness comes from z.
 *
 * Arrays: a batch is n paths, one after the other. Element r of path i of an array a stands at a[i * a_stride + r]; a stride is at
 * least the number of elements of a path.
 *
 * Errors: a function that has `message` returns 0 for success, anything else (create: NULL) for failure, after writing what is wrong
 * into message, BUFFON_NESTED_MESSAGE bytes including the final zero. C++ exceptions must not leave a function.
 */
#ifndef BUFFON_MODEL_NESTED_PLUGIN_H
#define BUFFON_MODEL_NESTED_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BUFFON_NESTED_EXPORT __attribute__((visibility("default")))
#else
#define BUFFON_NESTED_EXPORT
#endif

/* Version of this interface. */
#define BUFFON_NESTED_ABI 1

/* Bytes of a message. */
#define BUFFON_NESTED_MESSAGE 512

/* The library's own object; never looked into. */
typedef struct buffon_nested buffon_nested;

/* Returns BUFFON_NESTED_ABI; the first function called. */
BUFFON_NESTED_EXPORT int32_t buffon_nested_abi(void);

/* Makes an object. `configuration` is the text of `configuration` in the job, "" when there is none; it ends with the call. */
BUFFON_NESTED_EXPORT buffon_nested* buffon_nested_create(const char* configuration, char* message);

BUFFON_NESTED_EXPORT void buffon_nested_destroy(buffon_nested* problem);

/* D, from 0 to 63. */
BUFFON_NESTED_EXPORT int32_t buffon_nested_depth(const buffon_nested* problem);

/* Number of components of y^d, 0 <= d <= D; 0 = nothing is drawn at d. */
BUFFON_NESTED_EXPORT int32_t buffon_nested_components(const buffon_nested* problem, int32_t d);

/* Name of component k of y^d: letters, digits and _, no digit first; all names are distinct. Lives as long as the object. */
BUFFON_NESTED_EXPORT const char* buffon_nested_name(const buffon_nested* problem, int32_t d, int32_t k);

/* Number of independent standard normals that one draw of y^d takes. */
BUFFON_NESTED_EXPORT int32_t buffon_nested_normals(const buffon_nested* problem, int32_t d);

/* Draws y^d for n paths.
 * past: components of y^0 ... y^{d-1}, one below the other; z: the standard normals; y: filled with the components of y^d. */
BUFFON_NESTED_EXPORT int32_t buffon_nested_sample(const buffon_nested* problem, int32_t d, int64_t n, const double* past, int64_t past_stride, const double* z,
                                                  int64_t z_stride, double* y, int64_t y_stride, char* message);

/* out[i] = g_d(path i, inner[i]) for n paths.
 * path: components of y^0 ... y^d, one below the other; inner: values in the place of gamma_{d+1}, without meaning for d = D. */
BUFFON_NESTED_EXPORT int32_t buffon_nested_link(const buffon_nested* problem, int32_t d, int64_t n, const double* path, int64_t path_stride,
                                                const double* inner, double* out, char* message);

#ifdef __cplusplus
}
#endif

#endif
