import { describe, expect, it } from 'vitest';
import { headerFields } from '../../src/serving/open-client.js';
import { parseServerUrl } from '../../src/serving/server-url.js';

describe('parseServerUrl', () => {
  it.each([
    ['http://h:8000', undefined, undefined, undefined, ''],
    ['http://h:8000/', undefined, undefined, undefined, ''],
    ['http://h:8000/v2', 'v2-http', undefined, undefined, ''],
    ['http://h:8000/v2/models/resnet', 'v2-http', 'resnet', undefined, ''],
    ['http://h:8000/v2/models/resnet/versions/3/infer', 'v2-http', 'resnet', '3', ''],
    ['https://h/gate/v2/models/a%20b', 'v2-http', 'a b', undefined, '/gate'],
    ['http://h:8080/predictions/tiny', 'torchserve', 'tiny', undefined, ''],
    ['http://h:8080/predictions/tiny/2.0', 'torchserve', 'tiny', '2.0', ''],
    ['http://h:8501/v1/models/half:predict', 'tfserving', 'half', undefined, ''],
    ['http://h:8501/v1/models/half/versions/12:predict', 'tfserving', 'half', '12', ''],
    ['http://h/v1/completions', 'openai', undefined, undefined, '/v1'],
    ['http://h/v1/chat/completions', 'openai-chat', undefined, undefined, '/v1'],
    ['grpc://h', 'v2-grpc', undefined, undefined, ''],
    ['grpcs://h/resnet/3', 'v2-grpc', 'resnet', '3', ''],
    ['grpc://h:9/v2/models/resnet/versions/3', 'v2-grpc', 'resnet', '3', ''],
  ])('%s', (text, protocol, model, version, prefix) => {
    expect(parseServerUrl(text)).toMatchObject({ protocol, model, version, prefix });
  });

  it.each([
    ['http://h', 80, false],
    ['https://h', 443, true],
    ['http://h:80', 80, false],
    ['grpc://h', 8001, false],
    ['grpc://h:80', 80, false],
    ['grpcs://h', 443, true],
    ['http://[::1]:8000/v2', 8000, false],
  ])('%s has port %i', (text, port, secure) => {
    expect(parseServerUrl(text)).toMatchObject({ port, secure });
  });

  it.each([
    ['localhost:8000', 'SO1006'],
    ['ftp://h', 'SO1006'],
    ['no url', 'SO1006'],
    ['http://user:secret@h', 'SO1006'],
    ['http://h/v2?x=1', 'SO1006'],
  ])('refuses %s', (text, code) => {
    expect(() => parseServerUrl(text)).toThrow(expect.objectContaining({ code }));
  });

  it('never repeats a password', () => {
    expect(() => parseServerUrl('http://user:secret@h')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});

describe('headerFields', () => {
  it('takes names and values', () => {
    expect(headerFields(['Authorization: Bearer abc', 'X-A:b'])).toEqual({ authorization: 'Bearer abc', 'x-a': 'b' });
  });

  it.each(['Authorization', ': x', 'A b: c', 'A: b\r\nC: d', 'Host: other', 'Content-Length: 5'])(
    'refuses %j',
    (line) => {
      expect(() => headerFields([line])).toThrow(expect.objectContaining({ code: 'SO1006' }));
    },
  );
});
