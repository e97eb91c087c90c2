#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""examples/algorithms/programs/network_analyse.py: what it measures, what it draws, and how it refuses broken files."""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import igraph

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
OUTPUTS = {"nodes": "nodes.csv", "summary": "summary.json", "svg": "drawing.svg", "png": "drawing.png"}


class NetworkAnalyse(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="waybill-network-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_on(self, file, *options):
        outputs = [text for name, output in OUTPUTS.items() for text in (f"--{name}", str(self.folder / output))]
        program = EXAMPLES / "algorithms" / "programs" / "network_analyse.py"
        return subprocess.run([sys.executable, "-B", program, *outputs, *options, file], capture_output=True, text=True, timeout=120, check=False)

    def analyse(self, text, *options):
        """The rows of the CSV by id, and the summary."""
        file = text if isinstance(text, pathlib.Path) else self.folder / "network"
        if file != text:
            file.write_text(text, encoding="utf-8")
        done = self.run_on(file, *options)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        with open(self.folder / "nodes.csv", encoding="utf-8", newline="") as stream:
            rows = {row["id"]: row for row in csv.DictReader(stream)}
        return rows, json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))

    def refused(self, text, what):
        file = self.folder / "network"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = self.run_on(file)
        self.assertEqual(1, done.returncode)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        self.assertTrue(done.stderr.startswith("network_analyse: network"), done.stderr)
        self.assertIn(what, done.stderr)
        self.assertEqual([file], list(self.folder.iterdir()))

    def test_karate_club(self):
        rows, summary = self.analyse(EXAMPLES / "data" / "karate.nwb")
        known = igraph.Graph.Famous("Zachary")
        self.assertEqual([str(degree) for degree in known.degree()], [row["degree"] for row in rows.values()])
        for row, rank in zip(rows.values(), known.pagerank()):
            self.assertAlmostEqual(rank, float(row["pagerank"]), places=8)
        self.assertEqual((34, 78, 1, False, True), tuple(summary[key] for key in ("nodes", "edges", "components", "directed", "drawn")))
        self.assertEqual(["34", "1", "33"], [node["id"] for node in summary["highestPageRank"][:3]])
        self.assertEqual("Mr. Hi", rows["1"]["label"])

    def test_karate_club_is_the_known_network(self):
        text = (EXAMPLES / "data" / "karate.nwb").read_text(encoding="utf-8")
        edges = [tuple(map(int, line.split())) for line in text.split("target*int\n")[1].splitlines()]
        known = sorted(tuple(sorted(end + 1 for end in edge.tuple)) for edge in igraph.Graph.Famous("Zachary").es)
        self.assertEqual(known, sorted(edges))

    def test_drawings(self):
        self.analyse(EXAMPLES / "data" / "karate.nwb")
        png = (self.folder / "drawing.png").read_bytes()
        self.assertEqual((b"\x89PNG\r\n\x1a\n", 2400, 1800), (png[:8], int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")))
        svg = xml.etree.ElementTree.parse(self.folder / "drawing.svg").getroot()
        self.assertEqual("{http://www.w3.org/2000/svg}svg", svg.tag)
        paths = list(svg.iter("{http://www.w3.org/2000/svg}path"))
        self.assertGreaterEqual(len(paths), 34 + 78)

    def test_what_is_too_large_is_measured_and_not_drawn(self):
        for edges in ([(0, n) for n in range(1, 5001)], [(a, b) for a in range(317) for b in range(a)]):
            (self.folder / "large").write_text("".join(f"{a} {b}\n" for a, b in edges), encoding="utf-8")
            done = self.run_on(self.folder / "large")
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn("no drawing: only networks of at most 5000 nodes and 50000 edges are drawn\n", done.stdout)
            summary = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
            self.assertEqual((len(edges), False), (summary["edges"], summary["drawn"]))
            self.assertEqual(summary["nodes"] + 1, (self.folder / "nodes.csv").read_text(encoding="utf-8").count("\n"))
            self.assertFalse((self.folder / "drawing.svg").exists() or (self.folder / "drawing.png").exists())

    def test_same_network_same_results(self):
        self.analyse(EXAMPLES / "data" / "karate.nwb")
        first = {name: (self.folder / name).read_bytes() for name in ("nodes.csv", "summary.json", "drawing.png")}
        self.analyse(EXAMPLES / "data" / "karate.nwb")
        self.assertEqual(first, {name: (self.folder / name).read_bytes() for name in first})

    def test_edge_lists(self):
        for text in ("# x\na b\n\nb c\n% y\nd e\n", "source,target\na,b\nb,c\nd,e\n", "a;b\nb;c\nd;e", "a\tb\r\nb\tc\r\nd\te\r\n"):
            rows, summary = self.analyse(text)
            self.assertEqual(list("abcde"), list(rows))
            self.assertEqual(["1", "1", "1", "2", "2"], [row["component"] for row in rows.values()])
            self.assertEqual((3, 2, 3), (summary["edges"], summary["components"], summary["largestComponent"]))
        rows, summary = self.analyse("a b 3\na c 1\n", "--directed")
        self.assertTrue(summary["directed"])
        self.assertGreater(float(rows["b"]["pagerank"]), float(rows["c"]["pagerank"]))
        self.assertEqual(["one x", "two"], list(self.analyse('"one x",two\n')[0]))

    def test_nwb(self):
        rows, summary = self.analyse('*Nodes 3\nid*int label*string\n3 "A b"\n1 *\n2 "\u00e9"\n*DirectedEdges\nsource*int target*int w*float\n3 1 0.5\n')
        self.assertEqual([("3", "A b"), ("1", "1"), ("2", "\u00e9")], [(row["id"], row["label"]) for row in rows.values()])
        self.assertEqual((1, True, 2), (summary["edges"], summary["directed"], summary["components"]))
        self.assertIsNone(self.analyse("*Nodes\nid*int\n7\n")[1]["modularity"])

    def test_graphml(self):
        rows, summary = self.analyse("<graphml><key id='k' for='node' attr.name='label' attr.type='string'/><graph edgedefault='directed'>"
                                     "<node id='a'><data key='k'>Anna</data></node><node id='b'/><edge source='a' target='b'/></graph></graphml>")
        self.assertEqual([("a", "Anna"), ("b", "b")], [(row["id"], row["label"]) for row in rows.values()])
        self.assertTrue(summary["directed"])

    def test_broken_edge_lists(self):
        self.refused("a b\nc\n", "line 2: an edge is SOURCE TARGET [WEIGHT], not 'c'")
        self.refused("a b 1 2\n", "line 1: an edge is")
        self.refused("a,b\nc,\n", "line 2: an edge is")
        self.refused("a b x\n", "line 1: the weight 'x' is no number")
        self.refused("a b -1\n", "line 1: the weight '-1' has to be 0 or more")
        self.refused("", "no node")
        self.refused(b"a b\n\xff c\n", "no UTF-8 text (byte 5)")

    def test_broken_nwb(self):
        nodes = "*Nodes\nid*int\n1\n"
        self.refused("*Vertices\n", "line 1: sections are")
        self.refused("*Nodes\nid int\n", "line 2: columns are declared")
        self.refused("*Nodes\nlabel*string\n", "line 2: the column id*int is missing")
        self.refused("*Nodes\nid*int\nx\n", "line 3: 'id' has to be a whole number, not 'x'")
        self.refused(nodes + "1\n", "line 4: the node 1 is there twice")
        self.refused(nodes + "1 2\n", "line 4: 1 values are declared (id), and there are 2")
        self.refused(nodes + "*UndirectedEdges\nsource*int\n", "line 5: the column target*int is missing")
        self.refused(nodes + "*UndirectedEdges\nsource*int target*int\n1 3\n", "line 6: there is no node 3")
        self.refused(nodes + "*UndirectedEdges\nsource*int target*int\n1 1\n*DirectedEdges\n", "line 7: there are directed and undirected")

    def test_broken_graphml(self):
        self.refused("<graphml>\n<graph>\n<node id='a'>\n</graph></graphml>", "line 4: this is no GraphML: ")
        self.refused("<html></html>", "this is no GraphML: ")

    def test_missing_file(self):
        done = self.run_on(self.folder / "none")
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, r"^network_analyse: .*No such file.*none'\n$")


if __name__ == "__main__":
    unittest.main()
