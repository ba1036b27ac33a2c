"""The report as one self-contained HTML page.

- `_page`: the sections of the page, each within its share of the page's size.
- `_overview`: status, next steps, totals; `_tables`: the rows of its tables; `_throughput_plot`: inline SVG.
- `_thumbnails`: small images of slides.
- `_templates`: the pieces of `page.html`, in which every value is escaped; `_writer`: writes them in order.
- `page.html`, `page.css`, `page.js`: packaged beside the modules and inlined.
"""
