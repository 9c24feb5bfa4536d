import { describe, expect, it } from 'vitest';
import { failedExchange, serverText } from '../../src/serving/server-error.js';

describe('serverText', () => {
  it('keeps the words of a page and leaves out its markup', () => {
    const page =
      '<!DOCTYPE HTML>\n<html><head><title>Error response</title><style>p { color: red }</style></head>' +
      '<body><p>Error code: 404</p><script>let x = "<p>";</script></body></html>';
    expect(serverText(page)).toBe('Error response Error code: 404');
    expect(serverText(`<html><style>${'a'.repeat(5000)}`)).toBe('');
  });

  it('leaves what is no page as it is, on one line', () => {
    expect(serverText('expected <b>\n\tgot <c>')).toBe('expected <b> got <c>');
    expect(serverText('x'.repeat(1000))).toHaveLength(300);
  });
});

describe('failedExchange', () => {
  it('says what may help when nothing responses in time', () => {
    const error = failedExchange('localhost:1', { failure: 'timeout', why: 'no whole response came in 200 ms' });
    expect(error).toMatchObject({ code: 'SO5101', hint: expect.stringContaining('--timeout') });
  });
});
