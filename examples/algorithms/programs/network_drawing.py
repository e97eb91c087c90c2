# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of a network, as SVG and PNG: size is PageRank, colour is the community. Needs nodes' `label`, `pagerank`, `community`."""
import math

import cairo

WIDTH, HEIGHT, MARGIN, CAPTION = 1200, 900, 60, 40
PNG_SCALE = 2
FONT = "DejaVu Sans"
COLOURS = ("4e79a7", "f28e2b", "59a14f", "e15759", "b07aa1", "76b7b2", "9c755f", "d4a72c", "d37295", "79706e")
MOST_NODES, MOST_EDGES = 5_000, 50_000  # past these a layout takes minutes, and the picture shows nothing
MOST_SPREAD = 600  # nodes; keeping more of them apart takes too long, and shows nothing
MOST_LABELS = 100


def _rgb(community):
    text = COLOURS[(community - 1) % len(COLOURS)]
    return tuple(int(text[i:i + 2], 16) / 255 for i in (0, 2, 4))


def _layout(graph):
    """A place for each node: each component laid out alone, the components side by side in rows, the largest first."""
    boxes = []
    for members in sorted(graph.connected_components(mode="weak"), key=len, reverse=True):
        side = math.sqrt(len(members))
        if len(members) <= 2:
            boxes.append((members, [(0, 0), (side, 0)], side))
            continue
        part = graph.induced_subgraph(members)
        if len(members) <= 400:
            layout = part.layout_kamada_kawai()
        else:
            layout = part.layout_fruchterman_reingold() if len(members) <= 1500 else part.layout_drl()
        layout.fit_into((side, side), keep_aspect_ratio=False)
        boxes.append((members, layout.coords, side))
    row = math.sqrt(sum((side + 1) ** 2 for _, _, side in boxes)) * 1.2
    places, left, top, below = [None] * graph.vcount(), 0, 0, 0
    for members, coords, side in boxes:
        if left > 0 and left + side > row:
            left, top = 0, below
        for node, (x, y) in zip(members, coords):
            places[node] = [left + x, top + y]
        left, below = left + side + 1, max(below, top + side + 1)
    return places


def _fit(places, radii):
    """Scales `places`, in place, to the canvas, so that every circle is on it."""
    room = MARGIN + max(radii)
    for axis, length in ((0, WIDTH), (1, HEIGHT - CAPTION)):
        low = min(place[axis] for place in places)
        extent = max(place[axis] for place in places) - low
        for place in places:
            place[axis] = room + (place[axis] - low) / extent * (length - 2 * room) if extent > 0 else length / 2


def _spread(places, radii, gap=10):
    """Pushes circles apart, in place, until none overlaps another."""
    for _ in range(300):
        moved = False
        for i, a in enumerate(places):
            for j in range(i):
                b = places[j]
                dx, dy = a[0] - b[0], a[1] - b[1]
                distance = math.hypot(dx, dy)
                lack = radii[i] + radii[j] + gap - distance
                if lack > 0.5:
                    if distance < 0.01:
                        dx, dy, distance = math.cos(i), math.sin(i), 1
                    for place, sign in ((a, 0.5), (b, -0.5)):
                        place[0] += sign * lack * dx / distance
                        place[1] += sign * lack * dy / distance
                    moved = True
        if not moved:
            return


def _edge(context, start, end, radius, directed):
    """A line, with a head where it meets the circle that it leads to."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    distance = math.hypot(dx, dy)
    if distance < 1:
        return
    context.move_to(*start)
    context.line_to(*end)
    context.stroke()
    if directed and distance > radius:
        x, y = end[0] - dx / distance * radius, end[1] - dy / distance * radius
        angle = math.atan2(dy, dx)
        context.move_to(x, y)
        for turn in (2.75, -2.75):
            context.line_to(x + 9 * math.cos(angle + turn), y + 9 * math.sin(angle + turn))
        context.close_path()
        context.fill()


def _overlap(a, b):
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _labels(context, graph, places, radii):
    """Labels: within their circle where they fit, else beside it where there is room; important nodes choose first."""
    taken = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(places, radii)]
    for node in sorted(graph.vs, key=lambda node: -node["pagerank"])[:MOST_LABELS]:
        (x, y), r = places[node.index], radii[node.index]
        text = node["label"] if len(node["label"]) <= 40 else node["label"][:39] + "…"
        for size in range(int(max(11, min(16, r * 0.8))), 10, -1):
            context.set_font_size(size)
            extents = context.text_extents(text)
            fits = math.hypot(extents.width, extents.height) < 2 * r - 5
            if fits:
                break
        if fits:
            context.move_to(x - extents.width / 2 - extents.x_bearing, y - extents.height / 2 - extents.y_bearing)
            context.set_source_rgb(1, 1, 1)
            context.show_text(text)
            continue
        width, height = extents.width, context.text_extents("Ag").height
        candidates = [(x + r + 4, y - height / 2), (x - r - 4 - width, y - height / 2),
                      (x - width / 2, y + r + 3), (x - width / 2, y - r - 3 - height)]
        boxes = [(left, top, left + width, top + height) for left, top in candidates]
        costs = [sum(_overlap(box, other) for other in taken) +
                 (1e6 if box[0] < 0 or box[1] < 0 or box[2] > WIDTH or box[3] > HEIGHT - CAPTION else 0) for box in boxes]
        best = min(range(len(boxes)), key=costs.__getitem__)
        if costs[best] > 0 and graph.vcount() > 50:
            continue  # better no label than two that nobody can read
        left, top = candidates[best]
        taken.append(boxes[best])
        context.move_to(left - extents.x_bearing, top + height)
        context.text_path(text)
        context.set_source_rgba(1, 1, 1, 0.9)
        context.set_line_width(4)
        context.stroke_preserve()
        context.set_source_rgb(0.13, 0.13, 0.13)
        context.fill()


def _paint(context, graph, places, radii):
    context.set_source_rgb(1, 1, 1)
    context.paint()
    context.set_line_join(cairo.LINE_JOIN_ROUND)
    context.select_font_face(FONT, cairo.FONT_SLANT_NORMAL, cairo.FONT_WEIGHT_BOLD)
    crowd = min(1, 400 / max(1, graph.ecount()))
    context.set_line_width(0.5 + 1.1 * crowd)
    for edge in graph.es:
        same = graph.vs[edge.source]["community"] == graph.vs[edge.target]["community"]
        colour = _rgb(graph.vs[edge.source]["community"]) if same else (0.45, 0.45, 0.45)
        context.set_source_rgba(*colour, 0.15 + 0.4 * crowd)
        _edge(context, places[edge.source], places[edge.target], radii[edge.target], graph.is_directed())
    for node in graph.vs:
        context.arc(*places[node.index], radii[node.index], 0, 2 * math.pi)
        context.set_source_rgb(*_rgb(node["community"]))
        context.fill_preserve()
        context.set_source_rgb(1, 1, 1)
        context.set_line_width(1.5)
        context.stroke()
    _labels(context, graph, places, radii)
    context.select_font_face(FONT, cairo.FONT_SLANT_NORMAL, cairo.FONT_WEIGHT_NORMAL)
    context.set_font_size(14)
    context.set_source_rgb(0.35, 0.35, 0.35)
    context.move_to(MARGIN / 2, HEIGHT - 18)
    context.show_text(f"{graph.vcount()} nodes, {graph.ecount()} edges. Size: PageRank. Colour: community.")


def why_not(graph):
    """Why there can be no picture of it; nothing when there can."""
    if graph.vcount() <= MOST_NODES and graph.ecount() <= MOST_EDGES:
        return ""
    return f"only networks of at most {MOST_NODES} nodes and {MOST_EDGES} edges are drawn"


def draw(graph, svg, png):
    """Writes the same picture to both files."""
    largest = max(graph.vs["pagerank"])
    scale = 30 * min(1, math.sqrt(60 / graph.vcount()))
    radii = [max(2, scale * (0.35 + 0.65 * math.sqrt(node["pagerank"] / largest))) for node in graph.vs]
    places = _layout(graph)
    _fit(places, radii)
    if graph.vcount() <= MOST_SPREAD:
        _spread(places, radii)
        _fit(places, radii)
    with cairo.SVGSurface(svg, WIDTH, HEIGHT) as surface:
        _paint(cairo.Context(surface), graph, places, radii)
    with cairo.ImageSurface(cairo.FORMAT_RGB24, WIDTH * PNG_SCALE, HEIGHT * PNG_SCALE) as surface:
        context = cairo.Context(surface)
        context.scale(PNG_SCALE, PNG_SCALE)
        _paint(context, graph, places, radii)
        surface.write_to_png(png)
