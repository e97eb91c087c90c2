# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks from files: edge lists, NWB (the Network Workbench's format) and GraphML."""
import math
import os
import re

import igraph

FORMATS = ("edges", "nwb", "graphml")


class BadNetwork(Exception):
    """One line that says what is wrong with the file, and where."""


def read(file, file_format="auto", directed=False):
    """The network in `file`, its nodes with `name` and `label`, its edges with `weight` if the file has weights."""
    shown = os.path.basename(file)
    try:
        with open(file, encoding="utf-8-sig") as stream:
            text = stream.read()
    except UnicodeDecodeError as error:
        raise BadNetwork(f"{shown}: this is no UTF-8 text (byte {error.start + 1})") from None
    if file_format == "auto":
        first = re.sub(r"^([#%].*)?\n", "", text, flags=re.MULTILINE).lstrip()
        file_format = "graphml" if first.startswith("<") else "nwb" if first.startswith("*") else "edges"
    if file_format == "graphml":
        graph = _graphml(file, shown)
    else:
        graph = (_nwb if file_format == "nwb" else _edges)(text.splitlines(), shown, directed)
    if graph.vcount() == 0:
        raise BadNetwork(f"{shown}: there is no node in it")
    return graph


def _graph(names, labels, edges, weights, directed):
    graph = igraph.Graph(n=len(names), edges=edges, directed=directed)
    graph.vs["name"] = names
    graph.vs["label"] = labels
    if weights and None not in weights:
        graph.es["weight"] = weights
    return graph


def _weight(text, where):
    try:
        weight = float(text)
    except ValueError:
        raise BadNetwork(f"{where}: the weight '{text}' is no number") from None
    if not 0 <= weight < math.inf:
        raise BadNetwork(f"{where}: the weight '{text}' has to be 0 or more, and finite")
    return weight


def _edges(lines, shown, directed):
    """SOURCE TARGET [WEIGHT] in each line, with blanks, commas or semicolons between; "#" and "%" begin comments."""
    numbers, edges, weights = {}, [], []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line[0] in "#%":
            continue
        separator = next((one for one in ",;\t" if one in line), None)
        fields = [field.strip().strip('"') for field in line.split(separator)]
        where = f"{shown}, line {number}"
        if not 2 <= len(fields) <= 3 or not all(fields):
            raise BadNetwork(f"{where}: an edge is SOURCE TARGET [WEIGHT], not '{line[:60]}'")
        if not edges and [field.lower() for field in fields[:2]] == ["source", "target"]:
            continue  # a CSV file's heading
        edges.append([numbers.setdefault(name, len(numbers)) for name in fields[:2]])
        weights.append(_weight(fields[2], where) if len(fields) == 3 else None)
    names = list(numbers)
    return _graph(names, names, edges, weights, directed)


def _columns(line, where):
    """'id*int label*string' → [('id', 'int'), ('label', 'string')]"""
    columns = [tuple(column.split("*")) for column in line.split()]
    if not columns or any(len(column) != 2 or column[1] not in ("int", "float", "real", "string") for column in columns):
        raise BadNetwork(f"{where}: columns are declared as NAME*TYPE with the types int, float and string, not '{line[:60]}'")
    return columns


def _row(line, columns, where):
    """The values of a line by column; what is in quotes is one value, "*" is no value."""
    fields = re.findall(r'"([^"]*)"|([^\s"]+)', line)
    if len(fields) != len(columns):
        raise BadNetwork(f"{where}: {len(columns)} values are declared ({', '.join(name for name, _ in columns)}), and there are {len(fields)}: '{line[:60]}'")
    row = {}
    for (name, kind), (quoted, plain) in zip(columns, fields):
        try:
            row[name] = None if plain == "*" else quoted or plain if kind == "string" else {"int": int}.get(kind, float)(plain)
        except ValueError:
            raise BadNetwork(f"{where}: '{name}' has to be {'a whole number' if kind == 'int' else 'a number'}, not '{quoted or plain}'") from None
    return row


def _nwb(lines, shown, _directed):
    nodes, edges, weights = {}, [], []
    section, columns, directed = None, None, None
    for number, line in enumerate(lines, 1):
        line = line.strip()
        where = f"{shown}, line {number}"
        if not line or line.startswith("#"):
            continue
        if line.startswith("*"):
            section, columns = line.split()[0].lower(), None
            if section not in ("*nodes", "*undirectededges", "*directededges"):
                raise BadNetwork(f"{where}: sections are *Nodes, *UndirectedEdges and *DirectedEdges, not '{line[:60]}'")
            if section != "*nodes":
                if directed not in (None, section == "*directededges"):
                    raise BadNetwork(f"{where}: there are directed and undirected edges in one file, which this program cannot tell apart later")
                directed = section == "*directededges"
        elif section is None:
            raise BadNetwork(f"{where}: an NWB file begins with *Nodes, not '{line[:60]}'")
        elif columns is None:
            columns = _columns(line, where)
            missing = {"id"} if section == "*nodes" else {"source", "target"}
            missing -= {name for name, _ in columns}
            if missing:
                raise BadNetwork(f"{where}: the column {sorted(missing)[0]}*int is missing")
        elif section == "*nodes":
            row = _row(line, columns, where)
            if row["id"] in nodes:
                raise BadNetwork(f"{where}: the node {row['id']} is there twice")
            nodes[row["id"]] = row.get("label") or str(row["id"])
        else:
            row = _row(line, columns, where)
            for end in (row["source"], row["target"]):
                if end not in nodes:
                    raise BadNetwork(f"{where}: there is no node {end}")
            edges.append((row["source"], row["target"]))
            weights.append(None if row.get("weight") is None else _weight(row["weight"], where))
    numbers = {name: number for number, name in enumerate(nodes)}
    return _graph([str(name) for name in nodes], list(nodes.values()), [(numbers[a], numbers[b]) for a, b in edges], weights, bool(directed))


def _graphml(file, shown):
    try:
        graph = igraph.Graph.Read_GraphML(file)
    except igraph.InternalError as error:
        problem = re.sub(r"^Error at \S+: ", "", " ".join(str(error).split()))
        line = re.match(r"Line (\d+): ", problem)
        where = f"{shown}, line {line[1]}" if line else shown
        raise BadNetwork(f"{where}: this is no GraphML: {problem[line.end() if line else 0:][:200]}") from None
    known = graph.vs.attributes()
    names = graph.vs["id"] if "id" in known else [str(node.index) for node in graph.vs]
    key = next((one for one in ("label", "name") if one in known), None)
    graph.vs["name"] = names
    graph.vs["label"] = [str(label or name) for label, name in zip(graph.vs[key], names)] if key else names
    if "weight" in graph.es.attributes():
        weights = [float(weight) for weight in graph.es["weight"]]
        if any(math.isnan(weight) for weight in weights):
            del graph.es["weight"]  # not every edge has one
        elif not all(0 <= weight < math.inf for weight in weights):
            raise BadNetwork(f"{shown}: weights have to be 0 or more, and finite")
    return graph
