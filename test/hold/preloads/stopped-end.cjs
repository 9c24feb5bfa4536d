// A child process with a channel to its parent stops as soon as it is about to end; a watcher lets it go on later.
if (process.send) {
  let stopped = false;
  const stop = () => {
    if (stopped) return;
    stopped = true;
    process.kill(process.pid, 'SIGSTOP');
  };
  process.on('disconnect', stop);
  process.on('exit', stop);
}
