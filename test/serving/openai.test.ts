import type { ServerResponse as OutgoingResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isFailure, type ServerResponse } from '../../src/serving/client.js';
import { EventStream } from '../../src/serving/event-stream.js';
import type { Failure } from '../../src/serving/server-error.js';
import { bodyOf, client, fakeServer, json } from './fake-server.js';

describe('EventStream', () => {
  const STREAM =
    'data: one\n\ndata: zwölf 🎈\r\n\r\n: comment\rdata:three\rdata: more\r\revent: x\nid: 7\n\ndata\n\ndata: [DONE]\n\n';

  it('gives the same events wherever the bytes are split', () => {
    const bytes = Buffer.from(STREAM);
    for (let size = 1; size <= bytes.length; size++) {
      const seen: string[] = [];
      const events = new EventStream((data) => seen.push(data));
      for (let at = 0; at < bytes.length; at += size) events.push(bytes.subarray(at, at + size));
      expect(seen).toEqual(['one', 'zwölf 🎈', 'three\nmore', '[DONE]']);
    }
  });

  it('takes a line without end, piece by piece', () => {
    const seen: string[] = [];
    const events = new EventStream((data) => seen.push(data));
    events.push(Buffer.from('data:'));
    for (let piece = 0; piece < 2000; piece++) events.push(Buffer.alloc(1000, 0x78));
    events.push(Buffer.from('\n\n'));
    expect(seen.map(({ length }) => length)).toEqual([2_000_000]);
  });

  it('gives no event that has not ended', () => {
    const seen: string[] = [];
    new EventStream((data) => seen.push(data)).push(Buffer.from('data: one\n'));
    expect(seen).toEqual([]);
  });
});

const event = (value: unknown): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
const piece = (text: string): string => event({ choices: [{ text }] });

interface Seen {
  readonly url: string;
  readonly body: unknown;
}

async function completions(
  stream: (response: OutgoingResponse) => void,
  names: readonly string[] = ['small'],
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = await fakeServer(async (request, response) => {
    if (request.url === '/v1/models') json(response, { object: 'list', data: names.map((id) => ({ id })) });
    else if (request.url?.endsWith('completions')) {
      seen.push({ url: request.url, body: JSON.parse(String(await bodyOf(request))) });
      stream(response);
    } else json(response, {}, 404);
  });
  return { url: server.url, seen };
}

async function responseOf(
  url: string,
  protocol: 'openai' | 'openai-chat' = 'openai',
): Promise<ServerResponse | Failure> {
  const opened = await client(url, { protocol, maxTokens: 5 });
  await opened.describe();
  const request = opened.preparePrompt?.('say "hi"');
  if (!request) throw new Error('no prompts');
  const connection = opened.connect();
  const response = await connection.send(request);
  connection.close();
  return response;
}

describe('completions', () => {
  it('counts tokens by usage and times the first', async () => {
    const { url, seen } = await completions((response) => {
      const text = piece('ä') + piece('b') + event({ choices: [], usage: { completion_tokens: 7 } }) + event('[DONE]');
      const bytes = Buffer.from(text);
      // In the middle of the two bytes of ä.
      const middle = bytes.indexOf(0xc3) + 1;
      response.write(bytes.subarray(0, middle));
      setTimeout(() => response.end(bytes.subarray(middle)), 5);
    });
    const response = await responseOf(url);
    expect(response).toMatchObject({ status: '200', ok: true, tokens: { count: 7, counted: 'usage' } });
    expect(seen).toEqual([
      {
        url: '/v1/completions',
        body: {
          model: 'small',
          prompt: 'say "hi"',
          max_tokens: 5,
          stream: true,
          stream_options: { include_usage: true },
        },
      },
    ]);
  });

  it('counts pieces where the server does not, of chats too', async () => {
    const { url, seen } = await completions((response) => {
      const delta = (value: object): string => event({ choices: [{ delta: value }] });
      response.end(
        delta({ role: 'assistant', content: '' }) +
          delta({ reasoning_content: 'hm' }) +
          delta({ content: 'a' }) +
          delta({}) +
          event('[DONE]'),
      );
    });
    const response = await responseOf(`${url}/v1`, 'openai-chat');
    expect(response).toMatchObject({ tokens: { count: 2, counted: 'pieces' } });
    expect(seen).toMatchObject([
      { url: '/v1/chat/completions', body: { messages: [{ role: 'user', content: 'say "hi"' }] } },
    ]);
  });

  it.each([
    ['ends before [DONE]', piece('a'), 'response cut off'],
    ['holds no JSON', event('{nope'), 'protocol error'],
    [
      'breaks off with an error',
      piece('a') + event({ error: { message: 'out of memory' } }) + event('[DONE]'),
      'protocol error',
    ],
  ])('fails when a stream %s', async (_, text, failure) => {
    const { url } = await completions((response) => response.end(text));
    const response = await responseOf(url);
    expect(isFailure(response) && response.failure).toBe(failure);
  });

  it('gives an error status as it is', async () => {
    const { url } = await completions((response) => json(response, { error: { message: 'slow down' } }, 429));
    const response = await responseOf(url);
    expect(response).toMatchObject({ status: '429', ok: false });
  });

  it('is found by its list of models, and wants one named where there are several', async () => {
    const { url } = await completions(() => {}, ['small', 'large']);
    const opened = await client(url);
    expect(opened.protocol).toBe('openai-chat');
    await expect(opened.describe()).rejects.toMatchObject({ code: 'SO5104', why: 'it has 2 models: small, large' });
    const other = await client(url, { model: 'smal' });
    await expect(other.describe()).rejects.toMatchObject({ code: 'SO5104', hint: 'did you mean "small"?' });
  });
});
