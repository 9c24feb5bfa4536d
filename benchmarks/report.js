import { availableParallelism, cpus, totalmem } from 'node:os';

/** Medians of one side of a row. Memory is undefined where it could not be measured. */
export function summarize(measurements) {
  if (measurements.length === 0) return undefined;
  const of = (field) => median(measurements.map((each) => each[field]));
  const cpuSeconds = of('cpuSeconds');
  return {
    wallSeconds: of('wallSeconds'),
    cpuSeconds,
    largestBytes: of('largestBytes'),
    togetherBytes: of('togetherBytes'),
  };
}

function median(values) {
  if (values.includes(undefined)) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Each bar of a row: what it is, what was seen, whether it holds. Bars whose side was not measured are left out. */
export function judge(goal, { ours, peer, beside: [yardstick] }) {
  const bars = [];
  if (goal.fasterRatio && peer && yardstick) {
    const faster = peer.wallSeconds <= yardstick.wallSeconds ? peer : yardstick;
    const share = `1/${Math.round(1 / goal.fasterRatio)} of the faster`;
    bars.push(bar(`wall ≤ ${share}`, ours.wallSeconds / faster.wallSeconds, goal.fasterRatio));
    bars.push(bar(`peak ≤ ${share}`, ours.togetherBytes / faster.togetherBytes, goal.fasterRatio));
  }
  const add = (text, seen, limit) => {
    if (Number.isFinite(seen)) bars.push(bar(text, seen, limit));
  };
  const share = (ratio) => (Number.isInteger(1 / ratio) ? `1/${1 / ratio}` : `${ratio}`);
  if (goal.wallRatio && peer) {
    add(`wall ≤ ${share(goal.wallRatio)}`, ours.wallSeconds / peer.wallSeconds, goal.wallRatio);
  }
  if (goal.besideRatio && yardstick) {
    add(`wall ≤ ${goal.besideRatio}× ${yardstick.label}`, ours.wallSeconds / yardstick.wallSeconds, goal.besideRatio);
  }
  if (goal.besidePeakRatio && yardstick) {
    const text = `peak ≤ ${goal.besidePeakRatio}× ${yardstick.label}`;
    add(text, ours.togetherBytes / yardstick.togetherBytes, goal.besidePeakRatio);
  }
  if (goal.wallSeconds) add(`wall ≤ ${goal.wallSeconds} s`, ours.wallSeconds, goal.wallSeconds);
  if (goal.peakBytes) add(`peak ≤ ${goal.peakBytes / 1e6} MB`, ours.togetherBytes, goal.peakBytes);
  if (goal.peakRatio && peer) {
    add(`peak ≤ ${share(goal.peakRatio)}`, ours.togetherBytes / peer.togetherBytes, goal.peakRatio);
  }
  return bars;
}

function bar(text, seen, limit) {
  return { text, seen, limit, holds: seen <= limit };
}

/** Where and with what it was measured; no names of machines or folders. */
export function environment(peerPackages, loadBefore) {
  const { model } = cpus()[0] ?? { model: 'unknown CPU' };
  const peers = Object.entries(peerPackages).map(([name, version]) => `${name} ${version}`);
  return [
    `${model.trim()}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`,
    `Node ${process.versions.node}, peers: ${peers.join(', ')}, load at the start ${loadBefore.toFixed(1)}`,
  ];
}

const HEADER = 'task,ours s,peer s,ratio,beside,ours CPU s,peer CPU s,ours MB,largest,peer MB,ratio,bars,holds'.split(
  ',',
);

/** The table, in Markdown that is also readable as it is. */
export function table(results) {
  const rows = [HEADER, ...results.map(cells)];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const [header, ...body] = rows;
  return [line(header), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)].join('\n');
}

function cells({ label, ours, peer, beside, bars }) {
  return [
    label,
    seconds(ours.wallSeconds),
    seconds(peer?.wallSeconds),
    ratio(ours.wallSeconds, peer?.wallSeconds),
    beside.map(({ label: name, wallSeconds }) => `${name} ${seconds(wallSeconds)}`).join(', '),
    seconds(ours.cpuSeconds),
    seconds(peer?.cpuSeconds),
    megabytes(ours.togetherBytes),
    megabytes(ours.largestBytes),
    megabytes(peer?.togetherBytes),
    ratio(ours.togetherBytes, peer?.togetherBytes),
    bars.map((bar) => bar.text).join(', '),
    bars.map((bar) => (bar.holds ? 'yes' : `no (${shown(bar)})`)).join(', '),
  ];
}

const seconds = (value) => (value === undefined ? '' : value < 1 ? value.toFixed(3) : value.toFixed(2));
const megabytes = (value) => (value === undefined ? '' : (value / 1e6).toFixed(0));
const ratio = (ours, peer) => (ours === undefined || peer === undefined ? '' : `${(ours / peer).toPrecision(2)}×`);
const shown = ({ seen }) => (seen > 1e6 ? `${megabytes(seen)} MB` : `${seen.toPrecision(2)}×`);

/** The committed page. */
export function resultsPage(results, environmentLines, runs) {
  return `# Benchmarks

Made by \`npm run bench\`; see [README.md](README.md) for what is measured and how.

${environmentLines.map((text) => `- ${text}`).join('\n')}
- median of ${runs} runs a side, taken in turns

${table(results)}

Seconds are of the whole process, from start to exit; CPU seconds are processor time of all its threads and children, which
other load on the machine disturbs less. MB (10^6 bytes) are the peak of all processes of a side together, pages they share
counted once; "largest" is the largest single process of serve-opt.
`;
}
