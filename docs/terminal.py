"""Draws a terminal's text as a picture: python3 docs/terminal.py < text > docs/check.svg

A line that begins with `$ ` is what was typed; `⋮` stands for lines left out.
"""

import html
import sys

WIDTH, HEIGHT, LEFT, TOP = 8.4, 19, 16, 44
COLOURS = {"passed": "#3fb950", "failed": "#f85149", "not judged": "#d29922", "error:": "#f85149"}

lines = sys.stdin.read().rstrip("\n").split("\n")
columns = max(map(len, lines))
width, height = columns * WIDTH + 2 * LEFT, len(lines) * HEIGHT + TOP + LEFT
print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
      f'viewBox="0 0 {width:.0f} {height}" role="img" aria-label="redeliver check in a terminal">')
print(f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#0d1117"/>')
for place, colour in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
    print(f'<circle cx="{LEFT + 6 + 20 * place}" cy="20" r="6" fill="{colour}"/>')
print('<g font-family="ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="14" '
      'xml:space="preserve">')
for number, line in enumerate(lines):
    word = next((word for word in COLOURS if line.startswith(word)), "")
    colour = "#ffffff" if line.startswith("$ ") else "#c9d1d9"
    y = TOP + HEIGHT * (number + 1) - 6
    text = html.escape(line[len(word):])
    marked = f'<tspan fill="{COLOURS[word]}">{word}</tspan>' if word else ""
    print(f'<text x="{LEFT}" y="{y}" fill="{colour}">{marked}{text}</text>')
print("</g></svg>")
