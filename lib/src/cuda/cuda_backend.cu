// SPDX-License-Identifier: BSD-3-Clause
// The backend `cuda`: the bodies of bodies.hpp over the threads of a device, in one stream a queue. Compiled without contraction.
#include <buffon/backend/operations.h>

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <new>

#include "bodies.hpp"
#include "launch.hpp"

struct buffon_device {
  int number;
};

struct buffon_queue {
  int device;
  cudaStream_t stream;
};

namespace buffon::backend::cuda {
namespace {

/// What went wrong, as a sentence. The error is taken from the run time, which would give it to the next launch otherwise.
const char* said(cudaError_t status) {
  if (status == cudaSuccess) return nullptr;
  cudaGetLastError();
  return cudaGetErrorString(status);
}

/// The first of several calls that failed, as a sentence.
template <class... Calls>
const char* in_turn(Calls&&... calls) {
  cudaError_t status = cudaSuccess;
  ((status == cudaSuccess ? void(status = calls()) : void()), ...);
  return said(status);
}

template <class Body>
__global__ void __launch_bounds__(block_threads) run_elements(Launch launch, int64_t rows, int64_t columns, Body body) {
  const Place place{blockIdx.x, blockIdx.y, static_cast<int>(threadIdx.x), static_cast<int>(threadIdx.y)};
  elements_of(place, launch, rows, columns, body);
}

template <class T>
__global__ void __launch_bounds__(Product<T>::threads) run_product(Product<T> product) {
  __shared__ typename Product<T>::Shared shared;
  const auto thread = static_cast<int>(threadIdx.x);
  const int64_t row = static_cast<int64_t>(blockIdx.x) * Product<T>::tile;
  for (int64_t column = static_cast<int64_t>(blockIdx.y) * Product<T>::tile; column < product.c.columns;
       column += static_cast<int64_t>(gridDim.y) * Product<T>::tile) {
    typename Product<T>::Sums sums{};
    for (int64_t inner = 0; inner < product.b.rows; inner += Product<T>::depth) {
      product.bring(shared, thread, row, column, inner);
      __syncthreads();
      product.add(sums, shared, thread, inner);
      __syncthreads();
    }
    product.leave(sums, thread, row, column);
  }
}

template <class Body>
cudaError_t start(buffon_queue* queue, int64_t rows, int64_t columns, const Body& body) {
  if (rows <= 0 || columns <= 0) return cudaSuccess;
  const Launch l = launch_over(rows, columns);
  const dim3 blocks(static_cast<unsigned>(l.blocks_x), static_cast<unsigned>(l.blocks_y)),
      threads(static_cast<unsigned>(l.threads_x), static_cast<unsigned>(l.threads_y));
  run_elements<<<blocks, threads, 0, queue->stream>>>(l, rows, columns, body);
  return cudaGetLastError();
}

/// Calls body(T{}) with the type of a view of numbers.
template <class Body>
const char* with_type(buffon_type type, Body&& body) {
  return type == BUFFON_F32 ? body(float{}) : body(double{});
}

cudaError_t use(const buffon_queue* queue) { return cudaSetDevice(queue->device); }

/// Doubles that live as long as the operations given now.
template <class Body>
const char* with_room(buffon_queue* queue, int64_t doubles, Body&& body) {
  double* room = nullptr;
  const char* why = in_turn([&] { return use(queue); },
                            [&] { return cudaMallocAsync(reinterpret_cast<void**>(&room), static_cast<size_t>(doubles) * sizeof(double), queue->stream); });
  if (why != nullptr) return why;
  const char* failed = body(room);
  const char* freed = said(cudaFreeAsync(room, queue->stream));
  return failed != nullptr ? failed : freed;
}

// ------------------------------------------------------------------------------------------------------------------
// devices, memory, queues

int devices() {
  int count = 0;
  return said(cudaGetDeviceCount(&count)) == nullptr ? count : 0;
}

const char* open(int number, buffon_device** device) {
  if (const char* why = said(cudaSetDevice(number))) return why;
  *device = new (std::nothrow) buffon_device{number};
  return *device != nullptr ? nullptr : "the memory of the machine does not suffice";
}

void describe(buffon_device* device, char* text, int size) {
  cudaDeviceProp properties{};
  if (said(cudaGetDeviceProperties(&properties, device->number)) != nullptr) return;
  std::snprintf(text, static_cast<size_t>(size), "%s, %.0f GiB, compute capability %d.%d", properties.name,
                static_cast<double>(properties.totalGlobalMem) / (1 << 30), properties.major, properties.minor);
}

const char* allocate(buffon_device* device, int64_t bytes, void** data) {
  return in_turn([&] { return cudaSetDevice(device->number); }, [&] { return cudaMalloc(data, static_cast<size_t>(bytes)); });
}

void release(buffon_device* device, void* data) {
  in_turn([&] { return cudaSetDevice(device->number); }, [&] { return cudaFree(data); });
}

const char* make_queue(buffon_device* device, int, buffon_queue** queue) {
  auto* made = new (std::nothrow) buffon_queue{device->number, nullptr};
  if (made == nullptr) return "the memory of the machine does not suffice";
  const char* why = in_turn([&] { return use(made); }, [&] { return cudaStreamCreateWithFlags(&made->stream, cudaStreamNonBlocking); });
  if (why != nullptr) {
    delete made;
    return why;
  }
  *queue = made;
  return nullptr;
}

void end_queue(buffon_queue* queue) {
  in_turn([&] { return use(queue); }, [&] { return cudaStreamSynchronize(queue->stream); });
  said(cudaStreamDestroy(queue->stream));
  delete queue;
}

const char* synchronise(buffon_queue* queue) {
  return in_turn([&] { return use(queue); }, [&] { return cudaStreamSynchronize(queue->stream); });
}

const char* copy(buffon_queue* queue, void* to, const void* from, int64_t bytes, cudaMemcpyKind kind) {
  if (bytes <= 0) return nullptr;
  return in_turn([&] { return use(queue); }, [&] { return cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), kind, queue->stream); },
                 [&] { return cudaStreamSynchronize(queue->stream); });
}
const char* upload(buffon_queue* queue, void* to, const void* from, int64_t bytes) { return copy(queue, to, from, bytes, cudaMemcpyHostToDevice); }
const char* download(buffon_queue* queue, void* to, const void* from, int64_t bytes) { return copy(queue, to, from, bytes, cudaMemcpyDeviceToHost); }

// ------------------------------------------------------------------------------------------------------------------
// operations

const char* fill(buffon_queue* queue, buffon_view target, buffon_law law, double constant, buffon_key key) {
  return with_type(target.type, [&](auto type) {
    using T = decltype(type);
    return in_turn([&] { return use(queue); }, [&] { return start(queue, (target.rows + 1) / 2, target.columns, Fill<T>{target, law, constant, key}); });
  });
}

bool in_one_piece(const buffon_view& view) { return view.stride == view.rows || view.columns == 1; }

template <class T, int known, int width>
cudaError_t combine_packs(buffon_queue* queue, const buffon_view& target, const buffon_term* terms, int count) {
  CombineFlat<T, known, width> body{};
  body.count = count;
  body.target = static_cast<T*>(target.data);
  for (int k = 0; k < count; ++k) {
    body.x[k] = static_cast<const T*>(terms[k].source.data);
    body.factors[k] = static_cast<T>(terms[k].factor);
  }
  return start(queue, target.rows * target.columns / width, 1, body);
}

/// 16 bytes at once where all begin on such a boundary.
template <class T, int known>
cudaError_t combine_flat(buffon_queue* queue, const buffon_view& target, const buffon_term* terms, int count) {
  constexpr int width = 16 / sizeof(T);
  const auto aligned = [](const buffon_view& view) { return reinterpret_cast<uintptr_t>(view.data) % 16 == 0; };
  if (target.rows * target.columns % width == 0 && aligned(target) &&
      std::all_of(terms, terms + count, [&](const buffon_term& term) { return aligned(term.source); })) {
    return combine_packs<T, known, width>(queue, target, terms, count);
  }
  return combine_packs<T, known, 1>(queue, target, terms, count);
}

const char* combine(buffon_queue* queue, buffon_view target, const buffon_term* terms, int count, double noise, buffon_key key) {
  const bool flat = noise == 0 && in_one_piece(target) && std::all_of(terms, terms + count, [](const buffon_term& term) {
                      return in_one_piece(term.source) && term.rows_factor == nullptr && term.columns_factor == nullptr;
                    });
  return with_type(target.type, [&](auto type) {
    using T = decltype(type);
    return in_turn([&] { return use(queue); },
                   [&] {
                     if (flat) {
                       switch (count) {
                         case 1:
                           return combine_flat<T, 1>(queue, target, terms, count);
                         case 2:
                           return combine_flat<T, 2>(queue, target, terms, count);
                         case 3:
                           return combine_flat<T, 3>(queue, target, terms, count);
                         case 4:
                           return combine_flat<T, 4>(queue, target, terms, count);
                         case 5:
                           return combine_flat<T, 5>(queue, target, terms, count);
                         default:
                           return combine_flat<T, 0>(queue, target, terms, count);
                       }
                     }
                     Combine<T> body{target, {}, noise, key};
                     body.terms.count = count;
                     std::copy_n(terms, count, body.terms.term);
                     return start(queue, (target.rows + 1) / 2, target.columns, body);
                   });
  });
}

const char* reduce(buffon_queue* queue, buffon_view result, buffon_view source, buffon_reduction reduction) {
  if (source.columns == 0) return nullptr;
  return with_room(queue, element::lanes * source.columns, [&](double* lanes) {
    return with_type(source.type, [&](auto type) {
      using T = decltype(type);
      return in_turn(
          [&] {
            return start(queue, element::lanes, source.columns, ReduceLane<T>{source, reduction, lanes});
          },
          [&] {
            return start(queue, 1, source.columns, ReduceFold{result, reduction, lanes});
          });
    });
  });
}

const char* softmax(buffon_queue* queue, buffon_view target, buffon_view source, double scale) {
  if (source.columns == 0) return nullptr;
  return with_room(queue, (element::lanes + 1) * source.columns, [&](double* room) {
    double* most = room + element::lanes * source.columns;
    return with_type(source.type, [&](auto type) {
      using T = decltype(type);
      return in_turn(
          [&] {
            return start(queue, element::lanes, source.columns, SoftmaxLargest<T>{source, scale, room});
          },
          [&] {
            return start(queue, 1, source.columns, SoftmaxMost{room, most});
          },
          [&] {
            return start(queue, element::lanes, source.columns, SoftmaxLane<T>{source, scale, most, room});
          },
          [&] {
            return start(queue, source.rows, source.columns, SoftmaxWrite<T>{target, source, scale, most, room});
          });
    });
  });
}

const char* product(buffon_queue* queue, buffon_view c, buffon_view a, int transposed, buffon_view b, double factor, double keep) {
  if (c.rows == 0 || c.columns == 0) return nullptr;
  return with_type(c.type, [&](auto type) {
    using T = decltype(type);
    constexpr int64_t tile = Product<T>::tile;
    const dim3 blocks(static_cast<unsigned>((c.rows + tile - 1) / tile),
                      static_cast<unsigned>(std::min<int64_t>((c.columns + tile - 1) / tile, most_blocks_y)));
    return in_turn([&] { return use(queue); },
                   [&] {
                     run_product<T><<<blocks, Product<T>::threads, 0, queue->stream>>>(Product<T>{c, a, b, transposed, factor, keep});
                     return cudaGetLastError();
                   });
  });
}

const char* apply(buffon_queue* queue, buffon_view target, buffon_view source, buffon_function function, double low, double high) {
  return with_type(source.type, [&](auto type) {
    using T = decltype(type);
    return in_turn([&] { return use(queue); }, [&] { return start(queue, source.rows, source.columns, Apply<T>{target, source, function, low, high}); });
  });
}

const char* gather(buffon_queue* queue, buffon_view target, buffon_view source, buffon_view index) {
  return with_type(source.type, [&](auto type) {
    using T = decltype(type);
    return in_turn([&] { return use(queue); }, [&] { return start(queue, target.rows, target.columns, Gather<T>{target, source, index}); });
  });
}

const char* scan(buffon_queue* queue, buffon_view target, buffon_view source) {
  return with_type(source.type, [&](auto type) {
    using T = decltype(type);
    return in_turn([&] { return use(queue); }, [&] { return start(queue, 1, source.columns, Scan<T>{target, source}); });
  });
}

const char* resample(buffon_queue* queue, buffon_view target, buffon_view weights, buffon_key key) {
  if (target.columns == 0) return nullptr;
  return with_room(queue, weights.rows + 1, [&](double* sums) {
    return in_turn(
        [&] {
          return start(queue, 1, 1, ResampleSums{weights, sums});
        },
        [&] {
          return start(queue, target.columns, 1, ResampleFind{target, sums, weights.rows, key});
        });
  });
}

const char* convert(buffon_queue* queue, buffon_view target, buffon_view source) {
  return with_type(target.type, [&](auto target_type) {
    return with_type(source.type, [&](auto source_type) {
      using T = decltype(target_type);
      using S = decltype(source_type);
      return in_turn([&] { return use(queue); }, [&] { return start(queue, source.rows, source.columns, Convert<T, S>{target, source}); });
    });
  });
}

}  // namespace
}  // namespace buffon::backend::cuda

extern "C" const buffon_backend* buffon_backend_table(void) {
  using namespace buffon::backend;
  static const buffon_backend table = {BUFFON_BACKEND_VERSION,
                                       "cuda",
                                       cuda::devices,
                                       cuda::open,
                                       [](buffon_device* device) { delete device; },
                                       cuda::describe,
                                       cuda::allocate,
                                       cuda::release,
                                       cuda::make_queue,
                                       cuda::end_queue,
                                       cuda::synchronise,
                                       cuda::upload,
                                       cuda::download,
                                       cuda::fill,
                                       cuda::combine,
                                       cuda::reduce,
                                       cuda::softmax,
                                       cuda::product,
                                       cuda::apply,
                                       cuda::gather,
                                       cuda::scan,
                                       cuda::resample,
                                       cuda::convert};
  return &table;
}
