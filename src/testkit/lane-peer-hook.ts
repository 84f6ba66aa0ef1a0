import { registerHooks } from 'node:module'

/** As the build does: what y-webrtc knows as simple-peer is ours. For what is imported after this call. */
export function useLanePeer(): void {
  const ours = new URL('../sync/lane-peer.ts', import.meta.url).href
  registerHooks({
    resolve: (specifier, context, next) => next(specifier === 'simple-peer/simplepeer.min.js' ? ours : specifier, context),
  })
}
