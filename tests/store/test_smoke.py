from scim_server.store.unit import Store
from scim_server.scim.resources import accept
from scim_server.scim.schemas import USER_TYPE, GROUP_TYPE, USER, GROUP
from scim_server.scim.filters import parse_filter
from scim_server.scim.matching import bind
from scim_server import events

def doc(name, **more):
    return accept(USER_TYPE, {"schemas":[USER], "userName": name, "emails":[{"type":"work","value":name+"@x.org"}], **more}, lenient=True).document

def gdoc(name): return accept(GROUP_TYPE, {"schemas":[GROUP], "displayName": name}, lenient=True).document

def test_it(store: Store, scope, other_scope):
    assert store.migrated()
    store.ping()
    with store.write(scope) as unit:
        u = unit.users.insert(doc("Anna"))
        g = unit.groups.insert(gdoc("All"))
        assert unit.members.add(g.id, [u.id]) == (u.id,)
        unit.events.append(events.UserCreated(u.id, u.version, u.document))
    with store.read(scope) as unit:
        print(unit.users.get(u.id))
        print(unit.groups.get(g.id))
        for f in ('userName eq "ANNA"','emails[type eq "work" and value eq "anna@x.org"]','groups.display eq "all" and meta.created gt "2020-01-01T00:00:00Z" and not (id eq "x")'):
            p = unit.users.find(bind(parse_filter(f),USER_TYPE),1,10)
            assert p.total==1 and p.resources[0].id==u.id
        assert unit.users.find(None,1,10).total==1
        assert unit.groups.find(bind(parse_filter('members.display ne "x"'),GROUP_TYPE),1,10).total==1
        print(unit.events.list(5))
    with store.write(scope) as unit:
        u = unit.users.lock(u.id)
        u2 = unit.users.update(u, doc("Annb", active=False))
        assert unit.members.remove(g.id,[u.id,g.id])==(u.id,)
        assert unit.members.add(g.id,[u.id,g.id])==(u.id,g.id)
        assert unit.members.replace(g.id,[g.id])==((),(u.id,))
        assert unit.members.add(g.id,[u.id,g.id])==(u.id,)
    with store.write(scope) as unit:
        assert unit.users.end(u.id)==(g.id,)
        assert unit.users.get(u.id) is None
        assert unit.groups.get(g.id).links[0].id == g.id
        print(unit.groups.end(unit.groups.lock(g.id)))
