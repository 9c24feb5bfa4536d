// A child process that ignores the end of its channel and every signal that can be ignored.
if (process.send) {
  const { on } = process;
  const deaf = (name, listener) => (name === 'disconnect' ? process : on.call(process, name, listener));
  process.on = deaf;
  process.once = deaf;
  process.addListener = deaf;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) on.call(process, signal, () => {});
  setInterval(() => {}, 1000);
}
