#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a network and draws it, unless it is too large for that: degree, components, PageRank, communities. Needs python3-igraph and python3-cairo."""
import argparse
import csv
import json
import random
import sys

import igraph

import network_drawing
import network_reading


def measure(graph, damping):
    """What there is to know of each node, as attributes of the nodes; components are numbered from the largest."""
    weights = "weight" if "weight" in graph.es.attributes() else None
    nodes = graph.vs
    nodes["degree"] = graph.degree()
    nodes["pagerank"] = graph.pagerank(damping=damping, weights=weights)
    components = sorted(graph.connected_components(mode="weak"), key=len, reverse=True)
    for number, members in enumerate(components, 1):
        nodes[members]["component"] = [number] * len(members)
    plain = graph.as_undirected(combine_edges="sum") if graph.is_directed() else graph
    communities = plain.community_multilevel(weights=weights)
    for number, members in enumerate(sorted(communities, key=len, reverse=True), 1):
        nodes[members]["community"] = [number] * len(members)
    return components, communities


def summary(graph, components, communities):
    first = sorted(graph.vs, key=lambda node: -node["pagerank"])[:10]
    modularity = communities.modularity
    return {
        "nodes": graph.vcount(),
        "edges": graph.ecount(),
        "directed": graph.is_directed(),
        "selfLoops": sum(graph.is_loop()),
        "multipleEdges": graph.has_multiple(),
        "density": graph.density() if graph.vcount() > 1 else None,
        "degree": {"least": min(graph.vs["degree"]), "mean": sum(graph.vs["degree"]) / graph.vcount(), "most": max(graph.vs["degree"])},
        "components": len(components),
        "largestComponent": len(components[0]),
        "communities": len(communities),
        "modularity": modularity if modularity == modularity else None,  # no number where there is no edge
        "drawn": not network_drawing.why_not(graph),
        "highestPageRank": [{"id": node["name"], "label": node["label"], "pagerank": node["pagerank"]} for node in first],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("--format", choices=("auto", *network_reading.FORMATS), default="auto")
    parser.add_argument("--directed", action="store_true", help="read an edge list's edges as directed")
    parser.add_argument("--damping", type=float, default=0.85)
    parser.add_argument("--nodes", required=True, help="CSV of the nodes")
    parser.add_argument("--summary", required=True, help="JSON")
    parser.add_argument("--svg", required=True)
    parser.add_argument("--png", required=True)
    options = parser.parse_args()

    random.seed(1)  # igraph takes its random numbers from here: the same network looks the same each time
    graph = network_reading.read(options.network, options.format, options.directed)
    components, communities = measure(graph, options.damping)
    with open(options.nodes, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("id", "label", "degree", "component", "pagerank"))
        for node in graph.vs:
            rows.writerow((node["name"], node["label"], node["degree"], node["component"], f"{node['pagerank']:.9g}"))
    facts = summary(graph, components, communities)
    with open(options.summary, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=2, ensure_ascii=False)
        file.write("\n")
    if facts["drawn"]:
        network_drawing.draw(graph, options.svg, options.png)
    else:
        print("no drawing:", network_drawing.why_not(graph))
    print("nodes: {nodes}, edges: {edges}, components: {components}, communities: {communities}".format(**facts))


if __name__ == "__main__":
    try:
        main()
    except (network_reading.BadNetwork, OSError) as problem:
        sys.exit(f"network_analyse: {problem}")
