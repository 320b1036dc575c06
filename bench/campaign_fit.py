#!/usr/bin/env python3
"""Fits the weights of src/detect/campaign/reason.c to simulated campaigns of tuning seeds.

    build/release/bench/bench_campaign --seeds 1-6 --step 3 --features > tune.json
    bench/campaign_fit.py tune.json

Multinomial logistic regression with a ridge penalty towards what one believes, by plain gradient descent; prints the tables as C."""
import json
import math
import sys

NAMES = "ROLLOUT VERSION HARDWARE BUILD MILEAGE SMOOTH CHAIN REGION MODELS BURST EVIDENCE".split()
# What one would believe without data: attack, regression, fault. The fit is drawn towards it, because a simulator knows
# less than engineers do.
BELIEF = {
    "ROLLOUT": (-0.5, 1.0, -0.4), "VERSION": (-0.3, 0.7, -0.3), "HARDWARE": (-0.2, -0.2, 0.8), "BUILD": (-0.3, -0.3, 0.9),
    "MILEAGE": (-0.2, -0.2, 0.8), "SMOOTH": (-0.6, -0.2, 1.0), "CHAIN": (1.2, -0.7, -0.7), "REGION": (0.5, -0.2, -0.2),
    "MODELS": (0.4, -0.2, -0.2), "BURST": (0.5, 0.0, -0.5), "EVIDENCE": (0.4, -0.1, -0.2),
}
RIDGE = 0.2
STEPS = 3000


def softmax(scores):
    top = max(scores)
    e = [math.exp(s - top) for s in scores]
    return [x / sum(e) for x in e]


def main():
    rows = []
    for line in open(sys.argv[1], encoding="utf-8"):
        d = json.loads(line)
        if "features" in d and not d["scan"]["excluded"]:
            rows.append(([1.0] + d["features"], d["class"]))
    counts = [sum(c == k for _, c in rows) for k in range(3)]
    belief = [[0.0] + [BELIEF[n][k] for n in NAMES] for k in range(3)]
    w = [list(row) for row in belief]
    for _ in range(STEPS):
        grad = [[RIDGE * (x - b) * (i > 0) for i, (x, b) in enumerate(zip(row, to))] for row, to in zip(w, belief)]
        for x, c in rows:
            p = softmax([sum(a * b for a, b in zip(row, x)) for row in w])
            for k in range(3):
                off = (p[k] - (k == c)) / counts[c]
                for i, v in enumerate(x):
                    grad[k][i] += off * v
        for k in range(3):
            for i in range(len(w[k])):
                w[k][i] -= 0.1 * grad[k][i]
    print(f"/* {len(rows)} campaigns: {counts[0]} attacks, {counts[1]} regressions, {counts[2]} faults */")
    print("CONSTANT = {%s}" % ", ".join(f"{w[k][0]:.2f}" for k in range(3)))
    for i, name in enumerate(NAMES):
        print(f"    [CAMPAIGN_F_{name}] = {{%s}}," % ", ".join(f"{w[k][i + 1]:.2f}" for k in range(3)))
    table = [[0] * 3 for _ in range(3)]
    for x, c in rows:
        p = softmax([sum(a * b for a, b in zip(row, x)) for row in w])
        table[c][p.index(max(p))] += 1
    print("confusion on the rows fitted to:", table)


if __name__ == "__main__":
    main()
