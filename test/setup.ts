import fc from 'fast-check';

/** The same cases on every run: a commit must not fail by chance. `FC_SEED=<number>` (or `random`) looks further. */
const { FC_SEED = '1' } = process.env;
if (FC_SEED !== 'random') fc.configureGlobal({ seed: Number(FC_SEED) });
