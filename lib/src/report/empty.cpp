// SPDX-License-Identifier: BSD-3-Clause
namespace buffon {}
