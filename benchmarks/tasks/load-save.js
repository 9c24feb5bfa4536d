/** `node load-save.js <from> <to>`: reads a model and writes it again, with the library. */
import { readModel } from '../../dist/ir/read-model.js';
import { writeModel } from '../../dist/ir/write-model.js';

const [from, to] = process.argv.slice(2);
const model = await readModel(from);
await writeModel(model, to, { force: true });
model.source?.close();
