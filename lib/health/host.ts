/**
 * The host in a node name, which celery-exporter's label `hostname` holds: `w1@box` is on `box`. A name without a host is given as
 * it is.
 */
export function hostOf(nodename: string): string {
  return nodename.slice(nodename.indexOf('@') + 1)
}
