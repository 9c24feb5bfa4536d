import { it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { createRandom } from '../../src/tensor/random.js';
import { findDependencies } from '../../src/prune/dependency-groups.js';
import { channelGraph } from '../helpers/channel-graphs/channel-graph.js';
import { compareCut } from '../helpers/cut-exactness.js';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';
it('shows', async () => {
  const runtime = await FuzzRuntime.load();
  for (const seed of (process.env.SEEDS ?? '1').split(',').map(Number)) {
    for (let layers = 1; layers < 9; layers++) {
      const { text, feeds } = channelGraph(seed, layers);
      const amount = [0.1,0.3,0.5,0.7,0.9][seed % 5] ?? 0.5;
      let r = '';
      try { r = String((await compareCut(parseModel(text), { amount, seed, share: seed % 3 === 0 ? 0.6 : 1, feeds }, runtime)).relative); } catch (e) { r = (e as Error).message.slice(0, 300); }
      const bad = !(Number(r) < 1e-5);
      console.log('seed', seed, 'layers', layers, r);
      if (bad || layers === 8) { console.log(text.replace(/\{[-0-9.,]{60,}\}/g, '{…}').slice(0, 5000)); 
       try { const d = findDependencies(parseModel(text)); for (const g of d.groups) console.log(g.name, g.units.length, g.marks.map(m=>m.node.opType+':'+m.role+':'+(d.table.places[m.axis]?.value?.name??'')+'['+d.table.places[m.axis]?.axis+']').join(' ')); } catch {}
       break; }
    }
  }
  createRandom(1);
});
