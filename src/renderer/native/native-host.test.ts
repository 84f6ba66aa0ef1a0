import { describe, expect, it } from 'vitest'
import { errorCode } from '../../base/errors.ts'
import { PageFailure } from './failure-words.ts'
import { findNativeHost, NativeCallError } from './native-host.ts'

const host = (invoke: (method: string, input: unknown) => Promise<unknown>) => {
  let listen: ((event: unknown) => void) | undefined
  const bridge = {
    invoke,
    onEvent: (listener: (event: unknown) => void) => {
      listen = listener
      return () => (listen = undefined)
    },
  }
  const found = findNativeHost({ elsewhereNative: bridge })
  if (!found) throw new Error('a bridge was not found')
  return { found, hear: (event: unknown) => listen?.(event) }
}

describe('[EL2] the desk’s end of the native contract', () => {
  it.each([undefined, null, 7, {}, { invoke: 1, onEvent: () => () => {} }])('a page without a bridge has none: %j', (elsewhereNative) => {
    expect(findNativeHost({ elsewhereNative })).toBeUndefined()
  })

  it('checks what goes out and what comes back', async () => {
    const sent: unknown[] = []
    const { found } = host(async (method, input) => {
      sent.push([method, input])
      return method === 'host:info' ? { electron: '45', canSealSecrets: true, more: 1 } : { picture: 7 }
    })
    await expect(found.call('host:info', {})).resolves.toEqual({ electron: '45', canSealSecrets: true })
    await expect(found.call('tab:hide', { tabId: 't', picture: true })).rejects.toThrow(NativeCallError)
    await expect(found.call('page:open-outside', { url: 'file:///etc/passwd' })).rejects.toThrow(NativeCallError)
    expect(sent).toHaveLength(2)
  })

  it('a refusal keeps its code through Electron’s own words', async () => {
    const { found } = host(async () => {
      throw new Error("Error invoking remote method 'native': NativeError: native/refused-address: that is a desk of this machine")
    })
    const refused: unknown = await found.call('host:info', {}).catch((error: unknown) => error)
    expect([errorCode(refused), (refused as Error).message]).toEqual(['native/refused-address', 'That is a desk of this machine.'])
    expect(NativeCallError.from('what').code).toBe('native/unreadable')
  })

  it('passes over events that are none', () => {
    const { found, hear } = host(async () => ({}))
    const heard: unknown[] = []
    const stop = found.onEvent((event) => heard.push(event))
    hear({ type: 'tab-gone', tabId: 't' })
    hear({ type: 'tab-gone' })
    hear({ type: 'other', tabId: 't' })
    hear(null)
    stop()
    hear({ type: 'tab-gone', tabId: 't' })
    expect(heard).toEqual([{ type: 'tab-gone', tabId: 't' }])
  })
})

it.each([
  ['ERR_NAME_NOT_RESOLVED', /spelled/],
  ['ERR_CERT_DATE_INVALID', /prove/],
  ['ERR_BLOCKED_BY_CLIENT', /desks and programs of this machine/],
  ['ERR_SOMETHING_NEW', /ERR_SOMETHING_NEW/],
])('[AP45] %s is told in plain words', (code, words) => {
  expect(new PageFailure(code).message).toMatch(words)
  expect(new PageFailure(code).code).toBe(`web/${code.toLowerCase().replaceAll('_', '-')}`)
})
