# SPDX-License-Identifier: BSD-3-Clause
"""emcee on a logistic regression, driven by emcee_bench line by line.

usage: emcee_peer.py DIRECTORY, which holds design.f64 (n x d, row by row), response.f64 (n) and start.f64 (walkers x d).
Every line of standard input is a JSON object:
  {"move": NAME, "steps": N}  runs the ensemble of that move on for N steps and answers {"seconds": S, "evaluations": E};
  {"report": NAME}            answers the integrated autocorrelation time and writes DIRECTORY/draws.f64, thinned
                              draws (kept x walkers x d).
The first answer names versions, the BLAS in use and the moves.
"""
import json
import sys
import time
import warnings

import numpy
import emcee
from openblas import blas

directory = sys.argv[1]
start = numpy.fromfile(directory + "/start.f64")
response = numpy.fromfile(directory + "/response.f64")
design = numpy.fromfile(directory + "/design.f64").reshape(len(response), -1)
dimension = design.shape[1]
start = start.reshape(-1, dimension)
signed = numpy.ascontiguousarray((design * (2 * response - 1)[:, None]).T)
prior_precision = 1 / 4


def prior(theta):
    return -0.5 * prior_precision * numpy.einsum("ij,ij->i", theta, theta)


# Three ways to write the likelihood of a batch of walkers; the fastest one is used.
def by_logaddexp(theta):
    return prior(theta) - numpy.logaddexp(0, -(theta @ signed)).sum(axis=1)


def by_log1p(theta):
    m = theta @ signed
    return prior(theta) + numpy.minimum(m, 0).sum(axis=1) - numpy.log1p(numpy.exp(-numpy.abs(m))).sum(axis=1)


def by_product(theta):
    m = theta @ signed
    lower = numpy.minimum(m, 0).sum(axis=1)
    numpy.abs(m, out=m)
    numpy.negative(m, out=m)
    numpy.exp(m, out=m)
    m += 1
    return prior(theta) + lower - numpy.log(m.prod(axis=1))


def one(theta):
    m = theta @ signed
    return -0.5 * prior_precision * theta @ theta + numpy.minimum(m, 0).sum() - numpy.log1p(numpy.exp(-numpy.abs(m))).sum()


def seconds_of(function, batch, repeats=50):
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function(batch)
        times.append(time.perf_counter() - begin)
    return min(times)


moves = {
    "stretch": lambda: emcee.moves.StretchMove(),
    "differential evolution": lambda: emcee.moves.DEMove(),
    "differential evolution and snooker": lambda: [(emcee.moves.DEMove(), 0.8), (emcee.moves.DESnookerMove(), 0.2)],
}
half = start[: len(start) // 2]
ways = {f.__name__: seconds_of(f, half) for f in (by_logaddexp, by_log1p, by_product)}
fastest = {"by_logaddexp": by_logaddexp, "by_log1p": by_log1p, "by_product": by_product}[min(ways, key=ways.get)]
check = numpy.array([one(theta) for theta in half])
assert max(numpy.abs(f(half) - check).max() for f in (by_logaddexp, by_log1p, by_product)) < 1e-9

samplers, states = {}, {}


def sampler_of(name):
    if name not in samplers:
        single = name.endswith(", walker by walker")
        move = moves[name.removesuffix(", walker by walker")]()
        samplers[name] = emcee.EnsembleSampler(len(start), dimension, one if single else fastest, moves=move, vectorize=not single)
        samplers[name]._random.seed(1)
        states[name] = start
    return samplers[name]


def answer(value):
    print(json.dumps(value), flush=True)


answer({
    "python": sys.version.split()[0],
    "numpy": numpy.__version__,
    "emcee": emcee.__version__,
    "blas": blas(),
    "walkers": len(start),
    "moves": list(moves),
    "way": fastest.__name__,
    "microseconds_per_evaluation": {name: 1e6 * s / len(half) for name, s in ways.items()},
})
for line in sys.stdin:
    request = json.loads(line)
    if "move" in request:
        sampler = sampler_of(request["move"])
        state = states[request["move"]]
        begin = time.perf_counter()
        states[request["move"]] = sampler.run_mcmc(state, request["steps"], skip_initial_state_check=True)
        answer({"seconds": time.perf_counter() - begin, "evaluations": request["steps"] * len(start)})
    else:
        sampler = sampler_of(request["report"])
        chain = sampler.get_chain()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            times = sampler.get_autocorr_time(quiet=True, tol=0)
        thin = max(1, len(chain) // 500)
        chain[::thin].astype(numpy.float64).tofile(directory + "/draws.f64")
        answer({"autocorrelation_time": float(numpy.max(times)), "steps": len(chain), "kept": len(chain[::thin]),
                "acceptance": float(numpy.mean(sampler.acceptance_fraction))})
