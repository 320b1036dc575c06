/* observe: what a vehicle event shows, in the words of STIX, and which values of it indicators can be looked up by.
 *
 * One event is one observation; its objects (docs/intel.md has the table):
 *
 *     ipv4-addr, ipv6-addr     value                                src_ip, dst_ip
 *     network-traffic          src_ref, dst_ref, src_port, dst_port, protocols, extensions (User-Agent)
 *     mac-addr                 value                                src_mac, dst_mac, mac_expected
 *     domain-name              value                                domain, host part of url
 *     url                      value                                url
 *     file                     hashes, name, parent_directory_ref   hash_before, hash_after, path, process
 *     process                  pid, image_ref                       process, pid
 *     user-account             user_id, account_login               user (a pseudonym)
 *     x509-certificate         serial_number, issuer, subject       serial, issuer, subject
 *     software                 name, version                        component, version
 *     x-openvsoc-can           can_id, extended, bus, dlc, data_hex frames (our extension)
 *     x-openvsoc-event         event_type, signature, ecu, bus, sensor, priority, atm, fields.<name>   every event
 * (ours)
 *
 * Texts are brought to one form, in events and in patterns alike: names of hosts, digests and Ethernet addresses in
 * lower case, addresses as inet_ntop writes them.
 * Memory: values are borrowed from the event or put into the tree. Pure functions. */
#ifndef DETECT_INTEL_OBSERVE_H
#define DETECT_INTEL_OBSERVE_H

#include "detect/intel/stix_pattern.h"
#include "detect/intel/stix_tree.h"
#include "event/event.h"

/* Kinds of values that are looked up exactly. */
enum observe_class {
    OBSERVE_NONE, /* values that cannot be looked up */
    OBSERVE_ADDRESS,
    OBSERVE_MAC,
    OBSERVE_DOMAIN,
    OBSERVE_URL,
    OBSERVE_DIGEST,
    OBSERVE_FILE_NAME,
    OBSERVE_USER,
    OBSERVE_SERIAL,
    OBSERVE_ISSUER,
    OBSERVE_SUBJECT,
    OBSERVE_SOFTWARE,
    OBSERVE_USER_AGENT,
    OBSERVE_CAN_ID,
    OBSERVE_SIGNATURE,
    OBSERVE_TYPE, /* decided by the event type alone, as the next one */
    OBSERVE_ATM,
    OBSERVE_CLASS_COUNT
};

#define OBSERVE_KEY_MAX EV_SIGNATURE_MAX

/* A path of a pattern that events can show. */
struct observe_path {
    const char *object, *path; /* path as stix_path_text writes it, without the object; hashes end in ".*" */
    uint8_t kind;              /* enum observe_class */
    bool exact;                /* every event whose value of this class is equal matches: nothing more to test */
    bool every_type;           /* does not depend on the fields of a type */
    uint8_t field[4];          /* the fields that it is taken from; EV_F_NONE ends */
};

/* NULL when no event shows such a thing. */
const struct observe_path *observe_path_of(const struct stix_pattern *p, const struct stix_node *n);
/* An event of this type can show it. */
bool observe_type_shows(const struct ev_type_info *type, const struct observe_path *path, const struct stix_pattern *p,
                        const struct stix_node *n);
/* The class that a field's values are looked up in. */
enum observe_class observe_class_of(uint8_t field);

/* The one form of a value of that class, as key; false when it is none (an address that is no address). Addresses are
 * made by address.h instead. buf has OBSERVE_KEY_MAX bytes. */
VS_MUST_USE bool observe_key(enum observe_class kind, struct slice value, uint8_t *buf, struct slice *ret);
/* Host part of a URL; empty when it has none. */
struct slice observe_host(struct slice url);
/* A technique of the Automotive Threat Matrix without the matrix's name in front: T0071. */
struct slice observe_technique(struct slice id);
/* Last part of a path. */
struct slice observe_file_name(struct slice path);

/* The whole event as an observation. The tree is reset first. */
void observe_event(const struct event *ev, struct stix_tree *t, struct stix_observation *ret);

#endif
