import { fromBase64Url } from '../base/bytes.ts'

/**
 * Client id of the first content, the same on every device. Ids given to displays are 53 bits of a hash, so none of them is 1; a gate
 * must refuse it in envelopes.
 */
export const FIRST_CONTENT_CLIENT = 1

/**
 * What every new workspace holds before anybody did anything: one activity "Home" and the welcome window. A constant update, not code
 * that makes one: two devices that start alone and are paired later have one Home, not two (rule SE7). Golden file:
 * golden/v1-first-content.bin. Never change it; a later schema migrates it like any other desk.
 */
const FIRST_CONTENT_BASE64 =
  'AQIBACcBB3JlY29yZHMBMQAIAAEADHYDAWt3BnNjaGVtYQF2fQEBdH0AdgMBa3cHY3VycmVudAF2dwRob21lAXR9AHYDAWt3DWFjdGl2aXR5OmhvbWUBdngB' +
  'dH0AdgMBa3cSYWN0aXZpdHktbmFtZTpob21lAXZ3BEhvbWUBdH0AdgMBa3cRYWN0aXZpdHktaHVlOmhvbWUBdn0AAXR9AHYDAWt3E2FjdGl2aXR5LW9yZGVy' +
  'OmhvbWUBdncBVgF0fQB2AwFrdxd3aW5kb3ctYWN0aXZpdHk6d2VsY29tZQF2dwRob21lAXR9AHYDAWt3E3dpbmRvdy1yYW5rOndlbGNvbWUBdn0AAXR9AHYD' +
  'AWt3EndpbmRvdy10YWI6d2VsY29tZQF2dwd3ZWxjb21lAXR9AHYDAWt3C3RhYjp3ZWxjb21lAXZ4AXR9AHYDAWt3EXRhYi1wbGFjZTp3ZWxjb21lAXZ2AwZ3' +
  'aW5kb3d3B3dlbGNvbWUFb3JkZXJ3AVYIYWN0aXZpdHl3BGhvbWUBdH0AdgMBa3cRdGFiLXN0YXRlOndlbGNvbWUBdnYBBGtpbmR3B3dlbGNvbWUBdH0AAA'

/** Apply to each new replica of the workspace, outside any envelope; safe to repeat. */
export const firstContent = (): Uint8Array => fromBase64Url(FIRST_CONTENT_BASE64)
