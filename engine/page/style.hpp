#pragma once

#include <string_view>

namespace grouplink::page {

// Colours are chosen for a contrast of at least 4.5 between text and what it stands on, in both schemes.
inline constexpr std::string_view style = R"css(
:root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--text:#1a1f26;--soft:#56606c;--line:#dde1e6;
--grid:#e9ecef;--bar:#3365c4;--dropped:#a9bce0;--cut:#b23c06;--cuts:#b23c0622;--link:#44546a;--warn:#fff4e5;--warn-line:#d98a2b}
@media (prefers-color-scheme:dark){:root{--back:#0f1318;--card:#181d24;--text:#e7eaee;--soft:#9ba7b4;--line:#2c343e;
--grid:#242b34;--bar:#76a4f2;--dropped:#3d5480;--cut:#ff9c5a;--cuts:#ff9c5a26;--link:#b6c2d1;--warn:#2e2415;--warn-line:#b9772b}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Noto Sans","DejaVu Sans",sans-serif}
main,header,footer{max-width:1240px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:26px;line-height:1.2;margin:2px 0 6px;overflow-wrap:anywhere;letter-spacing:-.01em}
h2{font-size:20px;margin:0 0 10px;letter-spacing:-.005em}
h3{font-size:15px;margin:0 0 6px;overflow-wrap:anywhere}
p{margin:0 0 12px;max-width:75ch}
a{color:var(--bar)}
a:focus-visible,.scroll:focus-visible{outline:2px solid var(--bar);outline-offset:2px}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.brand{color:var(--soft);font-size:13px;font-weight:600}
.lead{color:var(--soft);max-width:none;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:14px 0 4px;font-size:14px}
.tiles{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:10px;margin:16px 0 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}
.tile dt{color:var(--soft);font-size:13px}
.tile dd{margin:0;font-size:25px;font-weight:650;line-height:1.3;overflow-wrap:anywhere;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
.tile .more{display:block;line-height:1.4;color:var(--soft);font-size:12.5px;font-weight:400;letter-spacing:0}
.notes{background:var(--warn);border:1px solid var(--warn-line);border-radius:10px;margin:14px 0 0;padding:10px 14px 10px 32px;overflow-wrap:anywhere}
section{background:var(--card);border:1px solid var(--line);border-radius:12px;margin:16px 0;padding:20px}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:20px 26px;margin-bottom:18px}
.beside{display:grid;grid-template-columns:minmax(0,1fr);gap:20px 30px}
@media (min-width:900px){.pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,2fr);gap:30px}.beside{grid-template-columns:minmax(0,380px) minmax(0,1fr)}.beside.turned{grid-template-columns:minmax(0,1fr) minmax(0,380px)}}
figure{margin:0;min-width:0;max-width:460px}
figcaption{color:var(--soft);font-size:13px}
svg{display:block;width:100%;height:auto;overflow:hidden}
svg text{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
svg .end{text-anchor:end}svg .mid{text-anchor:middle}
svg .bar{fill:var(--bar)}svg .bar.dropped{fill:var(--dropped)}
svg rect.bar:hover,svg circle.bar:hover,svg .node:hover{fill:var(--cut)}
svg rect[fill-opacity]{shape-rendering:crispEdges}
svg .grid{stroke:var(--grid)}svg .axis{stroke:var(--soft);stroke-opacity:.6}
svg line.cut{stroke:var(--cut);stroke-width:1.5;stroke-dasharray:4 3}svg text.cut{fill:var(--cut);font-weight:600}
svg .cuts{fill:var(--cuts)}
svg .interval{stroke:var(--bar);stroke-width:2.5;stroke-opacity:.55}
svg .link{stroke:var(--link)}svg .link:hover{stroke:var(--cut);stroke-opacity:1}
svg .node{fill:var(--bar);stroke:var(--card);stroke-width:1.2}svg .node.middle{fill:var(--cut)}
svg .label{fill:var(--text);font-size:10.5px;paint-order:stroke;stroke:var(--card);stroke-width:3px;stroke-linejoin:round}
svg .label.middle{font-weight:700}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:14px;margin-bottom:8px}
th,td{text-align:left;padding:5px 16px 5px 0;border-bottom:1px solid var(--line);vertical-align:top;font-weight:400}
thead th{color:var(--soft);font-size:12.5px;white-space:nowrap;vertical-align:bottom}
tbody th{font-weight:550;overflow-wrap:break-word;min-width:96px;max-width:300px}
tr:last-child>*{border-bottom:0}
.num+:not(.num){padding-left:8px}.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.strong{font-weight:600}
.rest>*{color:var(--soft)}
td.meter{width:22%;min-width:70px;vertical-align:middle}td.meter.wide{width:34%;min-width:110px}
.meter span{display:block;height:9px;min-width:1px;background:var(--bar);border-radius:2px}
th.meter .hidden,.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);background:none}
.texts td{min-width:150px;overflow-wrap:anywhere}.texts td.num{min-width:0}.texts td.id{min-width:140px}
.id{color:var(--soft);font-size:12.5px;overflow-wrap:anywhere}
.empty{color:var(--soft)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:6px 34px;margin:0}
.facts div{display:flex;justify-content:space-between;gap:16px;border-bottom:1px solid var(--line);padding:4px 0}
.facts dt{color:var(--soft);flex:none}.facts dd{margin:0;text-align:right;overflow-wrap:anywhere;min-width:0}
h3+.facts{margin-bottom:18px}
footer{color:var(--soft);font-size:13px;padding-bottom:28px}
@media (max-width:600px){main,header,footer{padding-left:12px;padding-right:12px}section{padding:14px}h1{font-size:22px}.tile dd{font-size:20px}.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:8px}
.meter:not(.wide),.what{display:none}th,td{padding-right:9px}
.texts thead{display:none}.texts tr{display:grid;grid-template-columns:auto 1fr;border-bottom:1px solid var(--line);padding:6px 0}.texts tr:last-child{border:0}
.texts tr>td{border:0;padding:2px 0;min-width:0}.texts .num+td{padding-left:0}.texts td:nth-child(2),.texts td:nth-child(3){grid-column:1/-1}
.texts td:nth-child(3){padding-left:14px}.texts td:nth-child(4){grid-column:2;grid-row:1;text-align:right;align-self:center}}
@media print{:root{color-scheme:light}body{background:#fff;font-size:11pt}nav{display:none}section{border:0;padding:0;break-inside:auto}
figure,tr,.tile{break-inside:avoid}.scroll{overflow:visible}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

}  // namespace grouplink::page
