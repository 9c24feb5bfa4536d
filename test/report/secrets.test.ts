import { describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import { Secrets, secretsOfArguments, withoutCredentials } from '../../src/report/secrets.js';

describe('withoutCredentials', () => {
  it.each([
    ['see http://user:pass@host/a', 'see http://…@host/a'],
    ['see grpcs://TOKEN@host', 'see grpcs://…@host'],
    ['GET https://host/a?token=x&b=c failed', 'GET https://host/a?… failed'],
    ['sent Authorization: Bearer eyJ0eXAi.abc123', 'sent Authorization: Bearer …'],
    ['--header "Authorization: Bearer TOKEN" sends a token', '--header "Authorization: Bearer TOKEN" sends a token'],
    ['Bearer authentication is required', 'Bearer authentication is required'],
    ['http://a:b@h/,http://c:d@h/?e', 'http://…@h/,http://…@h/?…'],
    ['x:\\\\user:pass@h', 'x:\\\\…@h'],
    ['http://127.0.0.1:8000/v2/models/m and a@b.c', 'http://127.0.0.1:8000/v2/models/m and a@b.c'],
  ])('of "%s"', (text, expected) => {
    expect(withoutCredentials(text)).toBe(expected);
  });
});

describe('a text of a million letters', () => {
  const secrets = new Secrets({ urls: ['http://alice:wonderland@host/'], headers: ['X-Api-Key: k3yk3yk3y'] });

  // Each of these would take hours if a text were read anew from each of its letters.
  it.each(['a', 'a.', 'a:', 'a:/', 'a://', 'a:\\\\', '/', '\\', '…', '… ', 'bearer ', 'basic'])(
    'of "%s" is read once, and holds no secret',
    (unit) => {
      const text = unit.repeat(1_000_000 / unit.length);
      expect(secrets.redact(text) === text).toBe(true);
      expect(secrets.redact(`http://${text}`) === `http://${text}`).toBe(true);
    },
  );

  it.each([
    ['@', 'http://…@'],
    [':@', 'http://…@'],
    ['?', 'http://?…'],
  ])('of "%s" is read once, and holds a secret behind http://', (unit, expected) => {
    const text = unit.repeat(1_000_000 / unit.length);
    expect(secrets.redact(text) === text).toBe(true);
    expect(secrets.redact(`http://${text}`)).toBe(expected);
  });

  it('that is a secret cut short again and again is read once', () => {
    expect(secrets.redact('wonderlan…'.repeat(100_000)) === '…'.repeat(100_000)).toBe(true);
  });
});

describe('Secrets', () => {
  const secrets = new Secrets({
    urls: ['http://alice:wonder%2Fland@host/?sig=abcdef'],
    headers: ['Authorization: Basic Ym9iOnMzY3JldC13b3Jk', 'X-Api-Key: k3y', 'X-Tenant: bench', 'Accept: text/html'],
  });

  it.each([
    ['the password is wonder%2Fland', 'the password is …'],
    ['decoded wonder/land', 'decoded …'],
    ['query abcdef!', 'query …!'],
    ['base64 Ym9iOnMzY3JldC13b3Jk', 'base64 …'],
    ['inside s3cret-word', 'inside …'],
    // What a server accepts stays readable.
    ['text/html', 'text/html'],
    // Cut in the middle of a secret.
    ['the server reports: s3cret-w…', 'the server reports: …'],
    ['…cret-word is wrong', '… is wrong'],
  ])('redacts "%s"', (text, expected) => {
    expect(secrets.redact(text)).toBe(expected);
  });

  it('leaves the words of a report alone', () => {
    const report = { command: 'bench', notes: ['tenant bench'], segments: [Float64Array.of(1)] };
    expect(secrets.redactReport(report)).toEqual({ ...report, notes: ['tenant …'] });
  });

  it('redacts an error with its causes', () => {
    const cause = Object.assign(new TypeError('no s3cret-word'), { input: 's3cret-word' });
    const error = secrets.redactError(
      new ServeOptError('SO5102', 'about s3cret-word', { why: 's3cret-word', hint: 's3cret-word', cause }),
    );
    expect(error).toMatchObject({ code: 'SO5102', message: 'about …', why: '…', hint: '…' });
    expect(JSON.stringify([error.stack, String(error.cause), (error.cause as Error).stack, error.cause])).not.toContain(
      's3cret',
    );
  });

  it('finds them where quotes were forgotten', () => {
    const found = secretsOfArguments(['bench', '--header', 'X-Api-Key:', 'swordfish', '--url', 'http://h']);
    expect(found.redact('The model "swordfish"')).toBe('The model "…"');
  });
});
