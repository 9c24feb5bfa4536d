/** What is accepted from a server, and what is sent to it. docs/servers.md lists these. */

const MIB = 1024 * 1024;

/** One response to an inference. */
export const DEFAULT_RESPONSE_BYTES = 256 * MIB;
/** All responses in flight, over all connections. */
export const POOL_BYTES = 512 * MIB;
/** What a server reports of itself and its models. */
export const METADATA_BYTES = 4 * MIB;
/** Of the body of an error: what is shown of it is shorter still. */
export const ERROR_BYTES = 64 * 1024;
/** Status line and headers, or trailers, of HTTP/1.1. */
export const HEADER_BYTES = 16 * 1024;
/** Responses 1xx before the one that counts. */
export const INFORMATIONAL_RESPONSES = 16;
/** A response in JSON. */
export const JSON_BYTES = 64 * MIB;
/** A line, and the data of one event, of an event stream. */
export const EVENT_CHARACTERS = MIB;
/** Inputs, and outputs, of a model. */
export const MAX_TENSORS = 1024;
/** Dimensions of a tensor. */
export const MAX_DIMENSIONS = 64;
/** Of an input, output or model. */
export const MAX_NAME_CHARACTERS = 4096;
/** Elements that do not come as plain bytes: numbers of protobuf's lists, and strings. */
export const MAX_LISTED_ELEMENTS = 16 * MIB;
export const MAX_STRINGS = MIB;
/** Models that a server lists; further ones are not looked at. */
export const MAX_MODELS = 1000;
/** One request: all its inputs together, as they are encoded. */
export const DEFAULT_REQUEST_BYTES = 256 * MIB;
/** Connecting, finding the protocol and reading metadata together take the time of one response, or this. */
export const MIN_DESCRIBE_MS = 2000;
