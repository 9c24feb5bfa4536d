// The program makes the file that SERVE_OPT_TEST_READY names as soon as it listens to SIGTERM.
// Node itself catches signals from its first moment on, so the system's own list of handlers does not tell.
const { isMainThread } = require('node:worker_threads');
if (isMainThread && !process.send && process.env.SERVE_OPT_TEST_READY) {
  const { writeFileSync } = require('node:fs');
  process.on('newListener', (name) => {
    if (name === 'SIGTERM') process.nextTick(() => writeFileSync(process.env.SERVE_OPT_TEST_READY, ''));
  });
}
