# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Two guests talk through rings in a section, over NOTIFY: nothing is lost, also
# when a side is killed and replaced.  Then the two example programs.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

# shellcheck disable=SC2016 # for the guest's shell
background() {
	local guest=$1 file=$2
	shift 2
	guest_do "$guest" "($* >/tmp/$file 2>&1; echo status \$? >>/tmp/$file) &"
}
ended() { guest_do "$1" "until grep -q ^status /tmp/$2; do sleep 0.1; done; cat /tmp/$2; grep -q '^status 0' /tmp/$2"; }

broker_start
section_create pipe --size 1M
section_create frames --size 4M
section_create table --size 1M
guest_start one --section pipe:rw --section frames:rw --section table:rw
guest_start two --section pipe:rw --section frames:ro --section table:ro
guest_ready one
guest_ready two

background two consumed vmsect-ring-test consume pipe 1
check "the ring takes 2000 records" guest_do one 'vmsect-ring-test produce pipe 1 2000'
check "and gives them in their order" ended two consumed

# A consumer dies; its successor goes on where it was.
background one produced vmsect-ring-test produce pipe 2 300000
background two dies vmsect-ring-test consume pipe 2
guest_do two 'killall -9 vmsect-ring-test' || not_ok "the consumer is killed while it runs"
check "a consumer that was killed has a successor" \
	guest_do two 'vmsect-ring-test consume pipe 2'
check "the producer noticed nothing but that" ended one produced

# The VM of a producer dies; what it had committed comes, and then its successor's.
background two consumed vmsect-ring-test consume pipe 4
background one dies vmsect-ring-test produce pipe 3 10000000
guest_do one 'pidof vmsect-ring-test' || not_ok "the producer runs"
guest_kill one
guest_start three --section pipe:rw --section frames:rw --section table:rw
guest_ready three
check "a VM that was killed has a successor" \
	guest_do three 'vmsect-ring-test produce pipe 4 2000'
check "the consumer has both of them whole" ended two consumed

background three produced vmsect-frames produce frames 150 25
check "a viewer that may not write sees whole frames" guest_do two 'vmsect-frames view frames 3'
check "the producer ends" ended three produced

guest_do three 'vmsect-kv format table' || not_ok "a table is laid out"
background three fed vmsect-kv feed table 4
check "a reader that may not write finds no torn value" guest_do two 'vmsect-kv check table 3'
check "the writer ends" ended three fed
guest_do three 'vmsect-kv put table colour green' || not_ok "a value is put"
check "what one VM put the other gets" prints green guest_do two 'vmsect-kv get table colour'
story_end
