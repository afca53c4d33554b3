/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BUFFON_BACKEND_OPERATIONS_H
#define BUFFON_BACKEND_OPERATIONS_H

#include <stdint.h>

/* The whole of a backend: one table of functions in C, so that a backend may be a library of its own that is loaded at run time
 * (`cuda` is). Memory lies on the device; a queue runs its operations in the order in which they are given; nothing else is kept. An
 * operation returns NULL, or a sentence that says what went wrong. `cpu:reference` is the definition of every operation.
 *
 * A view is a matrix of `rows` coordinates of `columns` samples, a sample in one piece: element (r, c) lies at data + c * stride + r.
 * Layout, addresses of random numbers and the order of every sum are a part of the definition: what becomes of one sample does not
 * depend on the others beside it. */

#ifdef __cplusplus
extern "C" {
#endif

#define BUFFON_BACKEND_VERSION 1
#define BUFFON_MOST_TERMS 32 /* of one `combine` */

typedef enum { BUFFON_F32 = 0, BUFFON_F64 = 1, BUFFON_I32 = 2 } buffon_type;

typedef struct {
  void* data;
  int64_t rows, columns, stride; /* in elements */
  buffon_type type;
} buffon_view;

/* Numbers of column c belong to item first + c of a stream (buffon/random/stream.hpp), row r to its r-th draw. */
typedef struct {
  uint32_t key0, key1, id;
  uint64_t first;
} buffon_key;

typedef enum { BUFFON_CONSTANT = 0, BUFFON_UNIFORM = 1, BUFFON_NORMAL = 2 } buffon_law;

/* factor of a term: `factor`, times rows_factor[r] and columns_factor[c] where these are not NULL (f64, on the device) */
typedef struct {
  buffon_view source;
  double factor;
  const double* rows_factor;
  const double* columns_factor;
} buffon_term;

typedef enum { BUFFON_SUM = 0, BUFFON_SUM_SQUARES = 1, BUFFON_MAX = 2, BUFFON_NOT_FINITE = 3 } buffon_reduction;
typedef enum { BUFFON_EXP = 0, BUFFON_SILU = 1, BUFFON_GELU = 2, BUFFON_TANH = 3, BUFFON_CLAMP = 4 } buffon_function;

typedef struct buffon_device buffon_device; /* of the backend */
typedef struct buffon_queue buffon_queue;

typedef struct {
  int version; /* BUFFON_BACKEND_VERSION */
  const char* name;

  /* Devices, memory, queues */
  int (*devices)(void);
  const char* (*open)(int number, buffon_device** device);
  void (*close)(buffon_device*);
  void (*describe)(buffon_device*, char* text, int size); /* one line for people */
  const char* (*allocate)(buffon_device*, int64_t bytes, void** data);
  void (*release)(buffon_device*, void* data);
  const char* (*make_queue)(buffon_device*, int threads, buffon_queue** queue);
  void (*end_queue)(buffon_queue*);
  const char* (*synchronise)(buffon_queue*);
  const char* (*upload)(buffon_queue*, void* to, const void* from, int64_t bytes); /* returns when `from` may be changed */
  const char* (*download)(buffon_queue*, void* to, const void* from, int64_t bytes);

  /* The operations, on f32 and f64 unless i32 is named; every floating-point target has the type of its sources unless said otherwise. Shapes and types are
   * checked by those who call them */
  const char* (*fill)(buffon_queue*, buffon_view target, buffon_law law, double constant, buffon_key key);
  /* target = sum of the terms in their order + noise z, each product and sum rounded once in f64 for f64, in f32 for f32; the target may be a source;
   * at most BUFFON_MOST_TERMS terms */
  const char* (*combine)(buffon_queue*, buffon_view target, const buffon_term* terms, int count, double noise, buffon_key key);
  /* of every column: result is 1 x columns, f64; sums run in 8 lanes folded by halves */
  const char* (*reduce)(buffon_queue*, buffon_view result, buffon_view source, buffon_reduction reduction);
  /* column by column: exp(scale x - max) / sum; a column whose largest number is -infinity or NaN becomes NaN */
  const char* (*softmax)(buffon_queue*, buffon_view target, buffon_view source, double scale);
  /* C = factor op(A) B + keep C; transposed: op(A) = A'. Every element is one chain of fused multiply-adds in the order of the inner index */
  const char* (*product)(buffon_queue*, buffon_view c, buffon_view a, int transposed, buffon_view b, double factor, double keep);
  const char* (*apply)(buffon_queue*, buffon_view target, buffon_view source, buffon_function function, double low, double high);
  /* column c of target = column index[c] of source; index is i32, 1 x columns, its numbers from 0 to source.columns - 1 */
  const char* (*gather)(buffon_queue*, buffon_view target, buffon_view source, buffon_view index);
  /* running sums down every column */
  const char* (*scan)(buffon_queue*, buffon_view target, buffon_view source);
  /* systematic resampling: weights f64, K x 1, K >= 1, not negative; target i32, 1 x N: sorted indices */
  const char* (*resample)(buffon_queue*, buffon_view target, buffon_view weights, buffon_key key);
  /* between f32 and f64 */
  const char* (*convert)(buffon_queue*, buffon_view target, buffon_view source);
} buffon_backend;

/* What a loaded library exports. */
const buffon_backend* buffon_backend_table(void);

#ifdef __cplusplus
}
#endif
#endif
