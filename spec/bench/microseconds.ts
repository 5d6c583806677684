/** The system's monotonic clock, which all processes of a machine share, in microseconds. */
export function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n)
}
