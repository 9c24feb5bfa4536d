import { BUILT_IN_HANDLERS, type ManifestFacts } from './manifest-rules.js';
import { type MarContents, textOf } from './mar-contents.js';
import type { Reporter } from './mar-finding.js';

/** The handler as TorchServe loads it: a function, or else exactly one class. */
export function checkHandler(
  { handler, serializedFile, requirementsFile }: ManifestFacts,
  contents: MarContents,
  report: Reporter,
): void {
  if (handler === undefined || BUILT_IN_HANDLERS.has(handler)) return;
  const [file = '', entry = 'handle'] = handler.split(':');
  const path = `${(file.split('/').at(-1) ?? file).replace(/\.py$/, '')}.py`;
  const text = textOf(contents, path);
  if (text === undefined) {
    report('error', 'handler-text', path, {
      what: 'the handler is not UTF-8, or too large',
      why: 'Python cannot import it',
      fix: 'write it again',
    });
    return;
  }
  const lines = text.split(/\r?\n/);
  const defines = (name: string): boolean =>
    lines.some((line) =>
      new RegExp(
        `^(async\\s+def|def)\\s+${escaped(name)}\\s*\\(|^${escaped(name)}\\s*=|^from\\s.*\\b${escaped(name)}\\b|^import\\s+\\*`,
      ).test(line),
    ) || /^from\s+\S+\s+import\s+\*/m.test(text);
  const classes = lines.flatMap((line, index) => (/^class\s+\w/.test(line) ? [index + 1] : []));
  if (!defines(entry) && classes.length !== 1) {
    const second = classes[1];
    report('error', 'handler-class', path, {
      what:
        classes.length === 0
          ? `the handler has neither a function "${entry}" nor a class`
          : `the handler has ${classes.length} classes and no function "${entry}"`,
      why: 'TorchServe takes a function of that name, or else exactly one class, and no worker starts otherwise',
      fix:
        classes.length === 0
          ? `add "def ${entry}(data, context)", or a class with that method`
          : `add "def ${entry}(data, context)", or move the other classes to a second file`,
      ...(second === undefined ? {} : { line: second, column: 1 }),
    });
  }
  if (serializedFile?.toLowerCase().endsWith('.onnx') !== true) return;
  const requirements = requirementsFile === undefined ? undefined : textOf(contents, requirementsFile);
  if (/^\s*(import|from)\s+onnxruntime\b/m.test(text) && !/^\s*onnxruntime/m.test(requirements ?? '')) {
    report('warning', 'requirement-missing', requirementsFile ?? '', {
      what: 'no requirement names onnxruntime, which the handler imports',
      why: "TorchServe's images do not have it",
      fix: 'add "onnxruntime" to requirements.txt, or install it in the image',
    });
  }
}

/** requirements.txt: packages from elsewhere, and those that would replace what the server runs on. */
export function checkRequirements(path: string, contents: MarContents, report: Reporter): void {
  const text = textOf(contents, path);
  if (text === undefined) {
    report('error', 'requirements-text', path, {
      what: 'the requirements are not UTF-8, or too large',
      why: 'pip cannot read them',
      fix: 'write them again',
    });
    return;
  }
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const requirement = line.replace(/(^|\s)#.*$/, '').trim();
    if (requirement === '') continue;
    const at = { line: index + 1, column: 1 };
    if (
      /^(--?(index-url|extra-index-url|find-links|trusted-host|i|f)\b|-e\b|--editable\b)|:\/\/|^(\.|\/|file:)/.test(
        requirement,
      )
    ) {
      report('warning', 'requirement-source', path, {
        what: `"${requirement.slice(0, 80)}" installs from elsewhere`,
        why: 'code of another server than the usual one runs where the model is loaded',
        fix: 'name packages and versions only',
        ...at,
      });
    } else if (/^(-r|-c|--requirement|--constraint)\b/.test(requirement)) {
      const file = requirement.split(/[\s=]+/)[1] ?? '';
      if (!contents.files.has(file)) {
        report('warning', 'requirement-file', path, {
          what: `"${file.slice(0, 80)}" is not in the archive`,
          why: 'pip fails, and the model is not loaded',
          fix: 'add the file, or write its lines here',
          ...at,
        });
      }
    } else if (/^(torch|torchserve|torchvision|torchaudio)\s*([=<>!~[;]|$)/i.test(requirement)) {
      report('warning', 'requirement-torch', path, {
        what: `"${requirement.slice(0, 80)}" replaces a package of the server`,
        why: 'workers run with the torch that the image has',
        fix: 'leave it out, and choose an image with that version',
        ...at,
      });
    }
  }
}

function escaped(name: string): string {
  return name.replace(/[^\w]/g, '\\$&');
}
