export { KeptLog as MemoryLog } from '../../lib/log/kept.js'
