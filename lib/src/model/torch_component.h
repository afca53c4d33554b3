/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BUFFON_MODEL_TORCH_COMPONENT_H
#define BUFFON_MODEL_TORCH_COMPONENT_H

#include <buffon/backend/operations.h>

/* What the component libbuffon_torch.so offers: it alone sees libtorch. A function that may fail returns NULL, or a sentence. */

#ifdef __cplusplus
extern "C" {
#endif

#define BUFFON_TORCH_VERSION 1

typedef struct buffon_network buffon_network;

typedef struct {
  buffon_view x;        /* f32 or f64 */
  buffon_view answer;   /* of the same shape and type */
  const int64_t* shape; /* axes of one sample, their product x.rows */
  int axes;
  const double* times;   /* one a column, or NULL */
  const double* scales;  /* of the states, one a column, or NULL */
  const int64_t* labels; /* one a column, or NULL */
  double factor;         /* of the answer */
  int threads;
} buffon_network_call;

typedef struct {
  int version;
  const char* library; /* "libtorch 1.13.1" */
  /* cuda: number of the device, −1 = CPU. arguments: that forward must be given at least and takes at most; signature: for people */
  const char* (*load)(const char* file, buffon_type type, int cuda, buffon_network** network);
  void (*release)(buffon_network*);
  void (*arguments)(const buffon_network*, int* least, int* most, const char** signature);
  /* refuses an answer of another shape or type, and numbers that are not finite */
  const char* (*forward)(buffon_network*, const buffon_network_call* call);
} buffon_torch;

/* What the library exports: buffon_torch_table. */
typedef const buffon_torch* (*buffon_torch_table_function)(void);

#ifdef __cplusplus
}
#endif
#endif
