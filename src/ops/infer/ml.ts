import type { ValueType } from '../../ir/type.js';
import { tensorType } from '../../ir/type.js';
import { DataType } from '../../tensor/dtype.js';
import type { RuleContext, RuleTable } from './context.js';
import { sameShape } from './elementwise.js';

/** Labels are strings where the string list is given, else int64. */
function labelType(context: RuleContext): number {
  return context.listLength('classlabels_strings') > 0 ? DataType.STRING : DataType.INT64;
}

function classCount(context: RuleContext): number | undefined {
  const names = ['classlabels_strings', 'classlabels_int64s', 'classlabels_ints'];
  const count = Math.max(...names.map((name) => context.listLength(name)));
  return count > 0 ? count : undefined;
}

/** Rows of a batch; a vector is one row. */
function rows(context: RuleContext) {
  const shape = context.shape(0);
  return shape?.length === 1 ? 1 : shape?.[0];
}

function classifier(context: RuleContext): void {
  context.setDataType(0, labelType(context));
  context.setShape(0, [rows(context)]);
  context.setShape(1, [rows(context), classCount(context)]);
}

function regressor(context: RuleContext): void {
  const targets =
    context.int('n_targets') ?? (context.node.opType === 'LinearRegressor' ? context.int('targets') : undefined);
  context.setShape(0, [rows(context), context.node.opType === 'SVMRegressor' ? 1 : targets]);
}

function treeEnsemble(context: RuleContext): void {
  context.setShape(0, [rows(context), context.int('n_targets')]);
}

function zipMap(context: RuleContext): void {
  const map: ValueType = { kind: 'map', keyType: labelType(context), valueType: tensorType(DataType.FLOAT, []) };
  context.setType(0, { kind: 'sequence', element: map });
}

function oneHotEncoder(context: RuleContext): void {
  const shape = context.shape(0);
  const count = Math.max(context.listLength('cats_int64s'), context.listLength('cats_strings'));
  if (shape) context.setShape(0, [...shape, count]);
}

/** The value type is that of whichever attribute lists the values. */
function labelEncoder(context: RuleContext): void {
  sameShape(context);
  if (context.since < 2) {
    context.setDataType(
      0,
      context.dataType(0) === DataType.STRING
        ? DataType.INT64
        : context.dataType(0) === DataType.INT64
          ? DataType.STRING
          : undefined,
    );
    return;
  }
  const lists: readonly (readonly [string, number])[] = [
    ['values_strings', DataType.STRING],
    ['values_int64s', DataType.INT64],
    ['values_floats', DataType.FLOAT],
  ];
  for (const [name, dataType] of lists) if (context.hasAttribute(name)) context.setDataType(0, dataType);
  context.setDataType(0, context.tensorAttribute('values_tensor')?.dataType);
}

function categoryMapper(context: RuleContext): void {
  sameShape(context);
  const input = context.dataType(0);
  if (input !== undefined) context.setDataType(0, input === DataType.STRING ? DataType.INT64 : DataType.STRING);
}

const CAST_MAP_TYPES: ReadonlyMap<string, number> = new Map([
  ['TO_FLOAT', DataType.FLOAT],
  ['TO_STRING', DataType.STRING],
  ['TO_INT64', DataType.INT64],
]);

function castMap(context: RuleContext): void {
  context.setDataType(0, CAST_MAP_TYPES.get(context.string('cast_to') ?? ''));
  context.setShape(0, [1, context.string('map_form') === 'SPARSE' ? context.int('max_map') : undefined]);
}

function dictVectorizer(context: RuleContext): void {
  const type = context.type(0);
  if (type?.kind === 'map' && type.valueType?.kind === 'tensor') context.setDataType(0, type.valueType.dataType);
  const length = Math.max(context.listLength('int64_vocabulary'), context.listLength('string_vocabulary'));
  context.setShape(0, [1, length]);
}

function featureVectorizer(context: RuleContext): void {
  const sizes = context.ints('inputdimensions');
  context.setShape(0, [rows(context), sizes?.reduce((sum, size) => sum + size, 0)]);
}

function arrayFeatureExtractor(context: RuleContext): void {
  const shape = context.shape(0);
  const picked = context.shape(1);
  const count = picked?.length === 1 ? picked[0] : picked?.length === 0 ? 1 : undefined;
  if (shape) context.setShape(0, shape.length === 1 ? [1, count] : [...shape.slice(0, -1), count]);
}

export const mlRules: RuleTable = [
  ['Binarizer Imputer Normalizer Scaler', sameShape],
  ['LinearClassifier SVMClassifier TreeEnsembleClassifier', classifier],
  ['LinearRegressor SVMRegressor TreeEnsembleRegressor', regressor],
  ['TreeEnsemble', treeEnsemble],
  ['ZipMap', zipMap],
  ['OneHotEncoder', oneHotEncoder],
  ['LabelEncoder', labelEncoder],
  ['CategoryMapper', categoryMapper],
  ['CastMap', castMap],
  ['DictVectorizer', dictVectorizer],
  ['FeatureVectorizer', featureVectorizer],
  ['ArrayFeatureExtractor', arrayFeatureExtractor],
];
