"""How an exported report looks: the one place of its colours, for light and dark, screen and paper."""

STYLE = """
:root{--page:#f7f8fa;--card:#fff;--line:#d9dee5;--text:#14181f;--muted:#515b69;--up:#0b7a5f;--down:#b93c1c;--mark:#1558c0;
--up-rgb:11,122,95;--down-rgb:185,60,28}
@media (prefers-color-scheme:dark){:root{--page:#0f1216;--card:#1f252d;--line:#2a313b;--text:#e6e9ee;--muted:#a3adba;--up:#2fbf9b;
--down:#ff7a59;--mark:#5b9dff;--up-rgb:47,191,155;--down-rgb:255,122,89}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:14px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1000px;margin:0 auto;padding:24px 16px}
h1{font-size:24px;margin:0 0 8px}h2{font-size:17px;margin:32px 0 8px}
header p{margin:2px 0;color:var(--muted)}header .net{font-size:20px;font-weight:600}
.up,header .up{color:var(--up)}.down,header .down{color:var(--down)}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:8px;margin-top:16px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:4px;padding:8px 12px}
.tile span{display:block;color:var(--muted);font-size:12px}.tile b{font-size:17px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:4px;padding:8px}
figcaption{color:var(--muted);font-size:12px}
svg{width:100%;height:auto;display:block}svg text{fill:var(--muted);font-size:11px}
.grid{stroke:var(--line)}.curve,.fall{fill:none;stroke-width:1.5;stroke:var(--mark)}.fall{stroke:var(--down)}
.wide{overflow-x:auto}
table{border-collapse:collapse;background:var(--card);font-size:13px}
th,td{padding:4px 8px;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}
th{color:var(--muted);font-weight:600}th.n,td.n{text-align:right}
.months{width:100%}.months td,.months th{text-align:center;padding:6px 4px}
.up1{background:rgba(var(--up-rgb),.12)}.up2{background:rgba(var(--up-rgb),.22)}.up3{background:rgba(var(--up-rgb),.32)}
.up4{background:rgba(var(--up-rgb),.42)}.up5{background:rgba(var(--up-rgb),.52)}
.down1{background:rgba(var(--down-rgb),.12)}.down2{background:rgba(var(--down-rgb),.22)}.down3{background:rgba(var(--down-rgb),.32)}
.down4{background:rgba(var(--down-rgb),.42)}.down5{background:rgba(var(--down-rgb),.52)}
.assumed td{white-space:normal;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--line);border-radius:4px;padding:12px;overflow-x:auto;font-size:12px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px}dt{font-weight:600}dd{margin:0;color:var(--muted)}
@media print{body{background:none}.wide{overflow:visible}section{break-inside:avoid-page}}
"""
