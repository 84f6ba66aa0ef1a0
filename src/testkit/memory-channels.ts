export { localChannelPair as memoryChannelPair } from '../rpc/local-channels.ts'
