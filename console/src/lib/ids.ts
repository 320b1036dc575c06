// Identifiers as people see them. A vid is a long pseudonym; the first characters tell two vehicles apart on a screen, the whole one is
// in the title and in copies. A VIN is shown only after an audited reveal.
const SHORT_VID = 10;

export const shortVid = (vid: string): string => (vid.length <= SHORT_VID + 2 ? vid : `${vid.slice(0, SHORT_VID)}…`);

export const vinMask = '•'.repeat(17);

export const incidentPath = (id: string): string => `/incidents/${encodeURIComponent(id)}`;
export const vehiclePath = (vid: string): string => `/vehicles/${encodeURIComponent(vid)}`;

/** Who a name on a row is, in one or two letters. */
export const initials = (name: string): string => name.split(/[\s._-]+/).filter(Boolean).slice(0, 2).map((w) => w.charAt(0).toUpperCase()).join('');
