# SPDX-License-Identifier: BSD-3-Clause
"""k-means++ of scikit-learn, driven by kmeans_seeding_bench line by line.

Every line of standard input is a JSON object:
  {"load": FILE.f32, "rows": N, "columns": D}      reads float32 numbers row by row and answers {}
  {"k": K, "local_trials": L or null, "seed": S}   answers {"seconds": T, "cost": C}; the cost is not timed
The first answer names versions and the BLAS in use.
"""
import json
import sys
import time

import numpy
import sklearn
from sklearn.cluster import kmeans_plusplus
from openblas import blas


def cost(data, centres):
    """Sum of squared distances to the nearest centre, in double precision by differences."""
    total = 0.0
    centres = centres.astype(numpy.float64)
    norms = (centres ** 2).sum(axis=1)
    for begin in range(0, len(data), 4096):
        block = data[begin:begin + 4096].astype(numpy.float64)
        nearest = (norms - 2 * block @ centres.T).argmin(axis=1)
        total += ((block - centres[nearest]) ** 2).sum()
    return total


def answer(value):
    print(json.dumps(value), flush=True)


answer({"python": sys.version.split()[0], "numpy": numpy.__version__, "sklearn": sklearn.__version__, "blas": blas()})
data = None
for line in sys.stdin:
    request = json.loads(line)
    if "load" in request:
        data = numpy.fromfile(request["load"], dtype=numpy.float32).reshape(request["rows"], request["columns"])
        answer({})
        continue
    begin = time.perf_counter()
    centres, _ = kmeans_plusplus(data, request["k"], n_local_trials=request["local_trials"], random_state=request["seed"])
    seconds = time.perf_counter() - begin
    answer({"seconds": seconds, "cost": cost(data, centres) if request.get("cost", True) else None})
