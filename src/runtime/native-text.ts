/** Text that native code wrote: coloured, many lines, with model-made names in it. */

/** How much of a native message goes into an error, in characters. */
const MESSAGE_LIMIT = 2000;
/** How much of a line of output. Loaders name the cause at the end, after two paths. */
const LINE_LIMIT = 1200;

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal escape sequences are what is removed here.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed here.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** Where in its C++ source a message arose: file, line, and the signature of the function with its template arguments. */
const SOURCE_LINE =
  /\S*\bonnxruntime[/\\](?:core|contrib_ops)[/\\]\S+:\d+ [^()\n]*\((?:[^()\n]|\([^()\n]*\))*\)(?: const)?(?: \[with [^\n]*?\](?= ))? ?/g;

/** The message itself, without the places in source code that ONNX Runtime puts before it. */
export function withoutSourceLines(text: string): string {
  return text.replace(SOURCE_LINE, '');
}

/** One printable line: no escape sequences, no control characters, bounded length. */
export function cleanNativeText(text: string, limit: number = MESSAGE_LIMIT): string {
  const line = text.replace(ESCAPES, '').replace(CONTROLS, ' ').replace(/ {2,}/g, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}

/**
 * What captured output says at its end, on one line: the last lines that speak of an error, else the last lines;
 * stack frames are left out. Undefined when there is nothing to show.
 */
export function lastNativeLines(text: string, count: number): string | undefined {
  const lines = text
    .split(/\r?\n/)
    .map((line) => cleanNativeText(line, LINE_LIMIT))
    .filter((line) => line !== '' && !/^(?:at |\d+: 0x|Node\.js v|-+ )/.test(line));
  const errors = lines.filter((line) => /error|fatal|exception|fail|cannot|couldn't/i.test(line));
  const shown = (errors.length > 0 ? errors : lines).slice(-count);
  return shown.length === 0 ? undefined : shown.join(' | ');
}

/** What ONNX Runtime says of models that break the rules of ONNX, as opposed to those that it has no kernel or library for. */
const INVALID = /This is an invalid model|\[(?:Shape|Type)InferenceError\]|\bType Error:/;

/** Operators that are not known are no fault of a model: plugins of other runtimes stand in any domain. */
const UNKNOWN_OPERATOR = /No Op registered|is not a registered function\/op/;

/** Whether a refusal of ONNX Runtime is about the model itself. */
export function saysInvalid(refusal: string): boolean {
  return INVALID.test(refusal) && !UNKNOWN_OPERATOR.test(refusal);
}
