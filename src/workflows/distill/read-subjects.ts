import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { suggest } from '../../suggest.js';
import type { DistillModels, DistillOptions, NamePair } from './distill-options.js';
import { distinctNames, inputNames, type Subject, unknownTensor } from './subject.js';

/** The teacher and the students with what they are fed. @throws SO1006 for as many sets of samples as there are not students */
export function subjectsOf(
  input: DistillModels,
  models: readonly Model[],
  options: DistillOptions,
): readonly [Subject, ...Subject[]] {
  const { teacher, students, dataPath, studentDataPaths = [] } = input;
  if (studentDataPaths.length > 1 && studentDataPaths.length !== students.length) {
    throw new ServeOptError(
      'SO1006',
      `--student-data is given ${studentDataPaths.length} times for ${students.length} students`,
      {
        hint: 'give it once for all students, or once for each in their order',
      },
    );
  }
  const count = options.samples === undefined ? {} : { count: options.samples };
  const map = new Map((options.map ?? []).map((pair) => [pair.teacher, pair.student]));
  const names = distinctNames([teacher, ...students]);
  const ofTeacher: Subject = {
    path: teacher,
    name: names[0] as string,
    model: models[0] as Model,
    source: { kind: 'data', path: dataPath, ...count },
    names: new Map(),
  };
  const rest = students.map((path, i): Subject => {
    const own = studentDataPaths.length === 1 ? studentDataPaths[0] : studentDataPaths[i];
    const model = models[i + 1] as Model;
    return {
      path,
      name: names[i + 1] as string,
      model,
      source: { kind: 'data', path: own ?? dataPath, ...count },
      names: inputNames(model, ofTeacher.model, map, basename(path), own !== undefined),
    };
  });
  return [ofTeacher, ...rest];
}

/** Tensors that are to be compared must be there. @throws SO1003 */
export function checkFeatures(
  [teacher, ...students]: readonly [Subject, ...Subject[]],
  features: readonly NamePair[],
): void {
  for (const pair of features) {
    for (const [{ model, name: subject }, name] of [
      [teacher, pair.teacher] as const,
      ...students.map((student) => [student, pair.student] as const),
    ]) {
      const { values, outputs } = model.graph;
      if (!values.has(name) && !outputs.some((output) => output.name === name))
        throw unknownTensor(name, [...values.keys()], subject);
    }
  }
}

/** The left side of each pair is an input or output of the teacher. @throws SO1006 with what was probably meant */
export function checkMap({ model, name }: Subject, map: readonly NamePair[]): void {
  const known = [...model.graph.inputs, ...model.graph.outputs].map((value) => value.name);
  for (const pair of map) {
    if (known.includes(pair.teacher)) continue;
    const near = suggest(pair.teacher, known);
    throw new ServeOptError('SO1006', `The value "${pair.teacher}:${pair.student}" of --map is not allowed`, {
      why: `the teacher "${name}" has no input or output "${pair.teacher}"`,
      hint: near === undefined ? `it has ${known.map((each) => `"${each}"`).join(', ')}` : `did you mean "${near}"?`,
    });
  }
}
