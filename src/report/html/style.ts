/**
 * The style sheet of all pages. Colours are variables with a light and a dark value; text on its ground has a contrast of at
 * least 4.5, marks of 3; colours of groups differ in lightness too and never carry a meaning alone.
 */
const LIGHT = `color-scheme:light;
--ground:#fcfcfb;--raised:#f4f4f1;--line:#deded9;--text:#1b1e22;--quiet:#5b626b;
--accent:#1f5fa8;--pass:#0b6b4d;--pass-ground:#e6f3ec;--fail:#b02a1c;--fail-ground:#fbeae7;
--unsure:#7a5200;--unsure-ground:#fbf1db;
--mark:#3b78b8;--band:#3b78b82e;--grid:#e8e8e4;--effect:#9299a02e;--noise:#b07c1a4d;
--c1:#2f6cae;--c2:#c77d14;--c3:#14857a;--c4:#a8487f;--c5:#737b85;--c6:#6a58b0;`;

const DARK = `color-scheme:dark;
--ground:#15181c;--raised:#1d2126;--line:#31373e;--text:#e6e8ea;--quiet:#a0a8b1;
--accent:#7db4f0;--pass:#5fcf9f;--pass-ground:#14291f;--fail:#ff8f7d;--fail-ground:#351b18;
--unsure:#e9bd5c;--unsure-ground:#2f2612;
--mark:#6ea6de;--band:#6ea6de33;--grid:#282d33;--effect:#a0a8b133;--noise:#d9a0414d;
--c1:#6ea6de;--c2:#e0a03c;--c3:#3fb5a5;--c4:#d783b3;--c5:#8b949e;--c6:#a394e0;`;

const RULES = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--text);
font:15px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.page{max-width:1120px;margin:0 auto;padding:28px 24px 64px}
a{color:var(--accent);text-underline-offset:2px}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.eyebrow{margin:0 0 6px;color:var(--quiet);font-size:13px}
.eyebrow b{color:var(--text);font-weight:600}
h1{margin:0;font-size:28px;line-height:1.2;font-weight:650;letter-spacing:-.015em;text-wrap:balance}
.subject{margin:8px 0 0;color:var(--quiet)}
h2{margin:52px 0 4px;padding-top:18px;border-top:1px solid var(--line);font-size:20px;line-height:1.3;font-weight:650;
letter-spacing:-.01em}
h3{margin:34px 0 4px;font-size:16px;line-height:1.35;font-weight:650}
.lead{margin:0 0 14px;color:var(--quiet);max-width:74ch}
.verdict{display:flex;gap:14px;align-items:flex-start;margin:22px 0 0;padding:14px 18px;border-radius:8px;
background:var(--raised)}
.verdict .sign{flex:none;font-size:20px;line-height:26px;width:20px;text-align:center;font-weight:700}
.verdict strong{display:block;font-size:18px;line-height:26px;font-weight:650}
.verdict ul,.verdict p{margin:2px 0 0;padding:0;list-style:none;color:var(--text)}
.verdict.pass{background:var(--pass-ground)}.verdict.pass .sign,.verdict.pass strong{color:var(--pass)}
.verdict.fail{background:var(--fail-ground)}.verdict.fail .sign,.verdict.fail strong{color:var(--fail)}
.verdict.inconclusive{background:var(--unsure-ground)}
.verdict.inconclusive .sign,.verdict.inconclusive strong{color:var(--unsure)}
.notice{margin:10px 0 0;padding:9px 14px;border-left:3px solid var(--unsure);background:var(--unsure-ground);border-radius:0 6px 6px 0}
.notice b{color:var(--unsure);font-weight:650}
.notice.error{border-color:var(--fail);background:var(--fail-ground)}.notice.error b{color:var(--fail)}
.contents{display:flex;flex-wrap:wrap;gap:4px 18px;margin:20px 0 0;padding:0;list-style:none;font-size:14px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:1px;margin:22px 0 0;
border:1px solid var(--line);border-radius:8px;overflow:hidden}
.figures>div{background:var(--ground);padding:12px 16px 13px;box-shadow:0 0 0 1px var(--line)}
.figures dt{color:var(--quiet);font-size:13px}
.figures dd{margin:0}
.figures .value{font-size:23px;line-height:1.25;font-weight:600;letter-spacing:-.01em;overflow-wrap:break-word}
.figures .detail{color:var(--quiet);font-size:13px;line-height:1.4}
.scroll{overflow-x:auto;margin:10px 0 0;
background:linear-gradient(to left,var(--ground) 40%,transparent) right/48px 100% no-repeat local,
linear-gradient(to left,var(--line),transparent) right/14px 100% no-repeat scroll}
.scroll+.scroll,.scroll+.pairs,figure+.scroll{margin-top:20px}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:7px 20px 7px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);
overflow-wrap:break-word;max-width:46ch}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--quiet);font-weight:500;font-size:13px;white-space:nowrap;vertical-align:bottom;border-bottom-color:var(--quiet)}
tbody th{font-weight:500}
.number{text-align:right;white-space:nowrap}
.name{min-width:11ch}
.why{min-width:26ch;max-width:none}
.short{white-space:nowrap}
.quiet{color:var(--quiet)}
.under{display:block;color:var(--quiet);font-size:13px;font-weight:400}
tr.best td,tr.best th{background:linear-gradient(var(--raised),var(--raised))}
.tag{display:inline-block;margin-left:6px;padding:0 7px;border-radius:9px;border:1px solid var(--line);color:var(--quiet);
font-size:12px;line-height:18px;font-weight:500;white-space:nowrap}
.tag.main{border-color:var(--accent);color:var(--accent)}
.result{font-weight:600;white-space:nowrap}
.result.pass{color:var(--pass)}.result.fail{color:var(--fail)}.result.inconclusive{color:var(--unsure)}
.pairs{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:0 36px;margin:10px 0 0}
.pairs>div{display:flex;gap:16px;justify-content:space-between;padding:6px 0;border-bottom:1px solid var(--line);font-size:14px}
.pairs dt{color:var(--quiet);flex:none;max-width:50%}
.pairs dd{margin:0;text-align:right;min-width:0}
.pairs.wide{grid-template-columns:1fr}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:10px 40px}
figure{margin:22px 0 0;min-width:0;break-inside:avoid}
.charts>figure.wide{grid-column:1/-1}
figcaption{margin:0 0 8px;color:var(--quiet);font-size:13.5px;line-height:1.45}
figcaption b{display:block;color:var(--text);font-size:15px;font-weight:600}
figure .empty{margin:0;padding:22px;border:1px dashed var(--line);border-radius:6px;color:var(--quiet);text-align:center;font-size:14px}
figure>svg{max-width:640px}figure.wide>svg{max-width:none}
.charts figure>svg{max-width:640px}.charts figure.wide>svg{max-width:none}
.narrow-only{display:none}
.charts+details{margin-top:22px}
details{border-top:1px solid var(--line)}
details:last-of-type{border-bottom:1px solid var(--line)}
summary{display:flex;flex-wrap:wrap;gap:2px 18px;align-items:baseline;padding:12px 0;cursor:pointer;list-style:none}
summary::-webkit-details-marker{display:none}
summary::before{content:"";flex:none;align-self:center;width:7px;height:7px;margin:0 4px 0 2px;border-right:2px solid var(--quiet);
border-bottom:2px solid var(--quiet);transform:rotate(-45deg)}
details[open]>summary::before{transform:rotate(45deg)}
summary b{font-weight:650}
summary span{color:var(--quiet);font-size:14px}
.details{padding:0 0 30px}
.list{margin:8px 0 0;padding-left:20px}.list li{margin:3px 0}
footer{margin:56px 0 0;padding-top:14px;border-top:1px solid var(--line);color:var(--quiet);font-size:13px}
footer p{margin:0 0 6px;max-width:88ch}
.chart{display:block;width:100%;height:auto;overflow:visible}
.chart text{fill:var(--text);font-size:12px;stroke:var(--ground);stroke-width:3px;stroke-linejoin:round;paint-order:stroke}
.chart .axis text,.chart text.quiet{fill:var(--quiet)}
.chart .strong,.chart .main text{font-weight:600}
.chart .value{fill:var(--quiet)}
.chart path{fill:none;stroke:var(--quiet)}
.chart .grid{stroke:var(--grid)}
.chart .base{stroke:var(--quiet);stroke-opacity:.6}
.chart .mark{fill:var(--mark)}
.chart .c1{fill:var(--c1)}.chart .c2{fill:var(--c2)}.chart .c3{fill:var(--c3)}
.chart .c4{fill:var(--c4)}.chart .c5{fill:var(--c5)}.chart .c6{fill:var(--c6)}
.chart .effect{fill:var(--effect)}.chart .noise{fill:var(--noise)}
.chart path.fill{stroke:none}
.chart .heat rect{stroke:var(--line)}.chart .h0{fill:none}.chart .h1{fill-opacity:.12}.chart .h2{fill-opacity:.24}
.chart .h3{fill-opacity:.36}.chart .h4{fill-opacity:.48}.chart .h5{fill-opacity:.6}.chart .h6{fill-opacity:.72}
.chart .h7{fill-opacity:.84}
.chart .track{stroke:var(--grid)}
.chart .pale{opacity:.28}
.chart .line path{stroke:var(--text);stroke-dasharray:2 3}
.chart .line.budget path{stroke:var(--fail);stroke-width:1.5;stroke-dasharray:none}
.chart .line.budget text{fill:var(--fail);font-weight:600}
.chart .curve{stroke:var(--mark);stroke-width:2;stroke-linejoin:round}
.chart .curve.s1{stroke:var(--c1)}.chart .curve.s2{stroke:var(--c2)}.chart .curve.s3{stroke:var(--c3)}
.chart .curve.s4{stroke:var(--c4)}.chart .curve.s5{stroke:var(--c5)}.chart .curve.s6{stroke:var(--c6)}
.chart .unsure{stroke-dasharray:3 4;stroke-width:1.5}
.chart .band{fill:var(--band);stroke:none}
.chart .whisker{stroke:var(--mark);stroke-width:1.5}
.chart .dots{stroke:var(--c1);stroke-width:3;stroke-linecap:round;stroke-opacity:.6;pointer-events:none}
.chart .dots.few{stroke-width:6;stroke-opacity:.8}
.chart .envelope{stroke:var(--c1);pointer-events:none}
.chart .odd .dots,.chart .odd .envelope{stroke:var(--c2)}
.chart .ground{fill:var(--raised);fill-opacity:.6}
.chart .one{stroke:var(--text);stroke-width:1.5}
.chart .interval path{stroke:var(--text);stroke-width:2.5}.chart .interval .mark{fill:var(--text)}
.chart .round-dot{fill:var(--c1);fill-opacity:.75}
.chart .self-dot{fill:var(--ground);stroke:var(--c2);stroke-width:2}
.chart .spot{fill:var(--c5);fill-opacity:.45;stroke:var(--c5)}
.chart .spot.best{fill:var(--c1);fill-opacity:.55;stroke:var(--c1)}
.chart .spot.suggested{stroke:var(--text);stroke-width:2}
.chart .front{stroke:var(--c1);stroke-width:1.5;stroke-dasharray:5 4}
.chart .median{stroke:var(--text);stroke-width:2}.chart .p99{stroke:var(--text);stroke-width:1.5;stroke-dasharray:2 2}
.chart .ridge .mark{fill-opacity:.8}
.chart g.bar:hover .mark,.chart .bars .mark:hover{fill-opacity:.75}
@media (max-width:600px){
.page{padding:18px 16px 48px}
h1{font-size:23px}h2{margin-top:40px}
.figures{grid-template-columns:1fr 1fr}.figures>div{padding:10px 12px}.figures .value{font-size:19px}
.chart text{font-size:15.5px}
.why{min-width:22ch}
th,td{max-width:30ch}
.wide-only{display:none}.narrow-only{display:block}
}
@media print{
.page{max-width:none;padding:0}body{font-size:12px}
.contents{display:none}
.charts{grid-template-columns:1fr 1fr;gap:6px 28px}
details::details-content{content-visibility:visible;display:block;height:auto}
.verdict,.notice,.chart,.figures,tr{print-color-adjust:exact;-webkit-print-color-adjust:exact;break-inside:avoid}
h2,h3{break-after:avoid}.scroll{overflow:visible}
}
@media (prefers-reduced-motion:no-preference){summary::before{transition:transform .12s}}
`;

/** The style sheet: light unless a dark screen is asked for; paper is always light. */
export const STYLE = `:root{${LIGHT}}
@media screen and (prefers-color-scheme:dark){:root{${DARK}}}${RULES}`;
